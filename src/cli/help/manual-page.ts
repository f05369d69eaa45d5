/** Lays out a page like a manual's: headings at the edge, text indented and wrapped. */

export interface PageStyle {
  /** Columns that a line may take. */
  readonly width: number;
  /** Whether headings and terms are shown in bold, for a terminal. */
  readonly bold: boolean;
}

const BOLD = '\u001b[1m';
const NOT_BOLD = '\u001b[22m';

/** Columns that text is indented by, for each level. */
const INDENT = 7;
const STEP = 4;

/** A page of help, laid out as `man` does: headings, and text indented below them. */
export class ManualPage {
  readonly #lines: string[] = [];

  constructor(private readonly style: PageStyle) {}

  heading(text: string): this {
    if (this.#lines.length > 0) this.#blank();
    this.#lines.push(this.#bold(text));
    return this;
  }

  /** @param level how much deeper than a heading's own text; 0 for that */
  paragraph(text: string, level = 0): this {
    this.#blankUnlessHeading();
    this.#wrap(text, level);
    return this;
  }

  /** A term with its explanation under it. */
  item(term: string, explanation: string, level = 0): this {
    this.#blankUnlessHeading();
    this.#lines.push(indentation(level) + this.#bold(term));
    if (explanation !== '') this.#wrap(explanation, level + 1);
    return this;
  }

  /** Terms under each other, one a line, with their explanations in a column beside them. */
  columns(rows: readonly (readonly [term: string, explanation: string])[], level = 0): this {
    this.#blankUnlessHeading();
    const termWidth = Math.max(...rows.map(([term]) => term.length)) + 2;
    const edge = indentation(level);
    const room = Math.max(20, this.style.width - edge.length - termWidth);
    for (const [term, explanation] of rows) {
      const [first = '', ...rest] = wrapWords(explanation, room);
      this.#lines.push(`${edge}${this.#bold(term)}${' '.repeat(termWidth - term.length)}${first}`);
      for (const line of rest) this.#lines.push(edge + ' '.repeat(termWidth) + line);
    }
    return this;
  }

  /** Lines that keep their breaks: code. */
  verbatim(text: string, level = 0): this {
    this.#blankUnlessHeading();
    for (const line of text.split('\n')) this.#lines.push((indentation(level) + line).trimEnd());
    return this;
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`;
  }

  #wrap(text: string, level: number): void {
    const edge = indentation(level);
    const room = Math.max(20, this.style.width - edge.length);
    for (const line of wrapWords(text, room)) this.#lines.push(edge + line);
  }

  #blank(): void {
    this.#lines.push('');
  }

  #blankUnlessHeading(): void {
    const last = this.#lines.at(-1);
    if (last?.startsWith(' ') === true) this.#blank();
  }

  #bold(text: string): string {
    return this.style.bold ? `${BOLD}${text}${NOT_BOLD}` : text;
  }
}

const indentation = (level: number): string => ' '.repeat(INDENT + level * STEP);

/** Breaks a text between words; a word that is longer than a line has one of its own. */
function wrapWords(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}
