import type { InputObject, InputValue } from '../input-value.js';
import { DuplicateKeyError, ShorthandSyntaxError } from './shorthand-error.js';
import {
  matchFirstWord,
  matchKey,
  matchQuoted,
  matchSecondWord,
  matchWhitespace,
  type Quote,
  quotedValue,
  wordValue,
} from './tokens.js';

/** What stands for a value that was given as `key@=value`: a file's content, or the value itself. */
export type ResolveFile = (value: string) => string | Uint8Array;

/**
 * Parses shorthand by its syntax alone: everything that is no list and no hash is a string, and a
 * list of one element without brackets is that element. `applyModel` puts that right.
 *
 *     parameter    = keyval *("," keyval)
 *     keyval       = key ["@"] "=" [values]
 *     values       = csv-list / explicit-list / hash-literal
 *     csv-list     = value *("," value)
 *     explicit-list = "[" [element *("," element)] "]"
 *     hash-literal = "{" [key ["@"] "=" element *("," key ["@"] "=" element)] "}"
 *     element      = value / explicit-list / hash-literal
 *
 * @throws ShorthandError where the text is something else; the message marks the place.
 */
export function parseShorthand(text: string, resolveFile: ResolveFile): InputObject {
  return new ShorthandReader(text, resolveFile).parameter();
}

class ShorthandReader {
  private index = 0;
  /** Whether the key that is being read ended in `@`. */
  private namesFiles = false;

  constructor(
    private readonly input: string,
    private readonly resolveFile: ResolveFile,
  ) {}

  parameter(): InputObject {
    const entries = new Map([this.keyValue()]);
    let end = this.index;
    while (!this.atEnd()) {
      this.expectBetween(',');
      const [key, value] = this.keyValue();
      if (entries.has(key)) throw new DuplicateKeyError(this.input, end + 1, key);
      entries.set(key, value);
      end = this.index;
    }
    return Object.fromEntries(entries);
  }

  private keyValue(): [string, InputValue] {
    const key = this.keyAndEquals();
    if (this.atEnd()) return [key, ''];
    return [key, this.atBracket() ? this.element() : this.plainList()];
  }

  private keyAndEquals(): string {
    const key = matchKey(this.input, this.index);
    this.index += key.length;
    this.skipWhitespace();
    this.namesFiles = this.current() === '@';
    if (this.namesFiles) this.index++;
    this.expectBetween('=');
    return key;
  }

  /** `a=b` is one value and `a=b,c` a list, but in `a=b,c=d` the comma ends the value. */
  private plainList(): InputValue {
    const first = this.firstValue();
    this.skipWhitespace();
    if (this.current() !== ',') return first;
    this.expectBetween(',');
    const elements = [first];
    for (;;) {
      const start = this.index;
      const next = this.secondValue();
      if (next !== undefined) {
        this.skipWhitespace();
        if (this.atEnd()) return [...elements, next];
        if (this.current() === ',') {
          elements.push(next);
          this.expectBetween(',');
          continue;
        }
      } else if (this.atEnd()) {
        throw this.syntaxError('<second>', '<none>');
      }
      // This was the next key: back to the comma before it.
      this.index = this.input.lastIndexOf(',', next === undefined ? start : this.index);
      return elements.length === 1 ? first : elements;
    }
  }

  private element(): InputValue {
    if (this.current() === '[') return this.explicitList();
    if (this.current() === '{') return this.hashLiteral();
    return this.firstValue();
  }

  private explicitList(): InputValue {
    const elements: InputValue[] = [];
    this.expectBetween('[');
    while (this.current() !== ']') {
      elements.push(this.element());
      this.separatorUnlessAt(']');
    }
    this.index++;
    return elements;
  }

  private hashLiteral(): InputValue {
    const entries = new Map<string, InputValue>();
    this.expectBetween('{');
    while (this.current() !== '}') {
      const key = this.keyAndEquals();
      entries.set(key, this.element());
      this.separatorUnlessAt('}');
    }
    this.index++;
    return Object.fromEntries(entries);
  }

  private separatorUnlessAt(closing: string): void {
    this.skipWhitespace();
    if (this.current() === closing) return;
    this.expect(',');
    this.skipWhitespace();
  }

  private firstValue(): InputValue {
    const quote = this.currentQuote();
    if (quote !== undefined) {
      const value = this.quoted(quote);
      if (value !== undefined) return value;
      // Spelled as the AWS CLI spells it.
      throw this.syntaxError(quote === "'" ? '<singled quoted>' : '<double quoted>', '<none>');
    }
    const word = matchFirstWord(this.input, this.index);
    if (word === undefined) return '';
    this.index += word.length;
    return this.fileOr(wordValue(word));
  }

  /** Undefined where there is no value: the key of the next pair, or nothing at all. */
  private secondValue(): InputValue | undefined {
    const quote = this.currentQuote();
    if (quote !== undefined) return this.quoted(quote);
    const word = matchSecondWord(this.input, this.index);
    if (word === undefined) return undefined;
    this.index += word.length;
    return this.fileOr(wordValue(word));
  }

  /** Undefined where the quote is never closed. */
  private quoted(quote: Quote): InputValue | undefined {
    const quoted = matchQuoted(quote, this.input, this.index);
    if (quoted === undefined) return undefined;
    this.index += quoted.length;
    return this.fileOr(quotedValue(quote, quoted));
  }

  private fileOr(value: string): InputValue {
    return this.namesFiles ? this.resolveFile(value) : value;
  }

  private currentQuote(): Quote | undefined {
    const character = this.current();
    return character === '"' || character === "'" ? character : undefined;
  }

  private atBracket(): boolean {
    return this.current() === '[' || this.current() === '{';
  }

  private expectBetween(character: string): void {
    this.skipWhitespace();
    this.expect(character);
    this.skipWhitespace();
  }

  private expect(character: string): void {
    const received = this.current();
    if (received !== character) throw this.syntaxError(character, received ?? 'EOF');
    this.index++;
  }

  private syntaxError(expected: string, received: string): ShorthandSyntaxError {
    return new ShorthandSyntaxError(this.input, this.index, expected, received);
  }

  private skipWhitespace(): void {
    this.index += matchWhitespace(this.input, this.index).length;
  }

  private atEnd(): boolean {
    return this.index >= this.input.length;
  }

  private current(): string | undefined {
    const point = this.input.codePointAt(this.index);
    return point === undefined ? undefined : String.fromCodePoint(point);
  }
}
