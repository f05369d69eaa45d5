import { isBreak, isPrintable, type ScalarStyle } from './yaml-scalar.js';

/** Lines break at the first space after this column. */
const BEST_WIDTH = 80;

export const INDENT_STEP = 2;

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '0',
  '\u0007': 'a',
  '\b': 'b',
  '\t': 't',
  '\n': 'n',
  '\v': 'v',
  '\f': 'f',
  '\r': 'r',
  '\u001b': 'e',
  '"': '"',
  '\\': '\\',
  '\u0085': 'N',
  '\u00a0': '_',
  '\u2028': 'L',
  '\u2029': 'P',
};

/**
 * Writes YAML tokens and keeps what the layout depends on: the column, and whether the line so far
 * is indentation only. Lays out as libyaml does, which the AWS CLI prints with.
 */
export class YamlEmitter {
  readonly #pieces: string[] = [];
  #column = 0;
  /** The last thing written was white space. */
  #afterSpace = true;
  /** The line so far is indentation and block indicators. */
  #onlyIndentation = true;
  indent = 0;

  get text(): string {
    return this.#pieces.join('');
  }

  get onlyIndentation(): boolean {
    return this.#onlyIndentation;
  }

  /** Begins a new line at the current indentation, unless this one is still at it. */
  newLine(): void {
    const atIndent =
      this.#onlyIndentation &&
      (this.#column < this.indent || (this.#column === this.indent && this.#afterSpace));
    if (!atIndent) this.#break('\n');
    while (this.#column < this.indent) this.#put(' ');
    this.#afterSpace = true;
    this.#onlyIndentation = true;
  }

  /** `-`, `?` and `:` leave what follows on the line as indentation, other indicators don't. */
  indicator(
    text: string,
    options: {
      readonly spaceBefore?: boolean;
      readonly endsInSpace?: boolean;
      readonly isIndentation?: boolean;
    } = {},
  ): void {
    if (options.spaceBefore === true && !this.#afterSpace) this.#put(' ');
    for (const character of text) this.#put(character);
    this.#afterSpace = options.endsInSpace === true;
    this.#onlyIndentation = this.#onlyIndentation && options.isIndentation === true;
  }

  /** @param mayBreak false for a mapping's key, which stays on its line */
  scalar(text: string, style: ScalarStyle, mayBreak: boolean): void {
    const outer = this.indent;
    this.indent += INDENT_STEP;
    if (style === 'plain') this.#plain([...text], mayBreak);
    else if (style === 'single') this.#single([...text], mayBreak);
    else this.#double([...text], mayBreak);
    this.indent = outer;
    this.#afterSpace = false;
    this.#onlyIndentation = false;
  }

  #plain(characters: readonly string[], mayBreak: boolean): void {
    if (!this.#afterSpace) this.#put(' ');
    let afterSpace = false;
    for (const [index, character] of characters.entries()) {
      if (character === ' ' && mayBreak && this.#mayFold(characters, index, afterSpace)) {
        this.newLine();
      } else this.#put(character);
      this.#onlyIndentation = false;
      afterSpace = character === ' ';
    }
  }

  #single(characters: readonly string[], mayBreak: boolean): void {
    this.indicator("'", { spaceBefore: true });
    let afterSpace = false;
    let afterBreak = false;
    for (const [index, character] of characters.entries()) {
      if (isBreak(character)) {
        if (!afterBreak && character === '\n') this.#break('\n');
        this.#break(character);
        this.#onlyIndentation = true;
        afterBreak = true;
        continue;
      }
      if (afterBreak) this.newLine();
      const inside = index > 0 && index < characters.length - 1;
      if (character === ' ' && mayBreak && inside && this.#mayFold(characters, index, afterSpace)) {
        this.newLine();
      } else {
        if (character === "'") this.#put("'");
        this.#put(character);
        this.#onlyIndentation = false;
      }
      afterSpace = character === ' ';
      afterBreak = false;
    }
    if (afterBreak) this.newLine();
    this.indicator("'");
  }

  #double(characters: readonly string[], mayBreak: boolean): void {
    this.indicator('"', { spaceBefore: true });
    let afterSpace = false;
    for (const [index, character] of characters.entries()) {
      if (
        !isPrintable(character) ||
        isBreak(character) ||
        character === '"' ||
        character === '\\'
      ) {
        for (const part of escaped(character)) this.#put(part);
        afterSpace = false;
        continue;
      }
      const inside = index > 0 && index < characters.length - 1;
      const fold =
        character === ' ' && mayBreak && inside && !afterSpace && this.#column > BEST_WIDTH;
      if (fold) {
        this.newLine();
        if (characters[index + 1] === ' ') this.#put('\\');
      } else this.#put(character);
      afterSpace = character === ' ';
    }
    this.indicator('"');
  }

  #mayFold(characters: readonly string[], index: number, afterSpace: boolean): boolean {
    return !afterSpace && this.#column > BEST_WIDTH && characters[index + 1] !== ' ';
  }

  #put(character: string): void {
    this.#pieces.push(character);
    this.#column++;
  }

  #break(character: string): void {
    this.#pieces.push(character);
    this.#column = 0;
  }
}

function escaped(character: string): string {
  const short = ESCAPES[character];
  if (short !== undefined) return `\\${short}`;
  const codePoint = character.codePointAt(0) ?? 0;
  const hex = codePoint.toString(16).toUpperCase();
  if (codePoint <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  if (codePoint <= 0xffff) return `\\u${hex.padStart(4, '0')}`;
  return `\\U${hex.padStart(8, '0')}`;
}
