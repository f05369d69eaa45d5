/**
 * The words of shorthand. Source: "Using shorthand syntax in the AWS CLI", and what version 2 does
 * where the page is silent.
 *
 * A word starts and goes on with almost anything. A first word (after `=`, or in `[]` or `{}`) ends
 * before a closing bracket or brace; a second one (after the comma of a plain list) ends before a
 * `=`, which shows that it was the next key and no further element.
 */
const WORD_START = '(?:\\\\,|[!#-&(-+\\--<>-Z\\\\-z|-\\uffff])';
const FIRST_FOLLOW = '(?:\\\\,|[\\s!#-&(-+\\--\\\\^-|~-\\uffff])*';
const SECOND_FOLLOW = '(?:\\\\,|[\\s!#-&(-+\\--<>-\\uffff])*';

const FIRST_WORD = new RegExp(WORD_START + FIRST_FOLLOW, 'uy');
const SECOND_WORD = new RegExp(WORD_START + SECOND_FOLLOW, 'uy');
const KEY = /[A-Za-z0-9\-_.#/:]*/y;
const WHITESPACE = /[ \t\n\r\v\f]*/y;

export const matchFirstWord = (input: string, index: number) => match(FIRST_WORD, input, index);
export const matchSecondWord = (input: string, index: number) => match(SECOND_WORD, input, index);
export const matchKey = (input: string, index: number) => match(KEY, input, index) ?? '';
export const matchWhitespace = (input: string, index: number) =>
  match(WHITESPACE, input, index) ?? '';

function match(pattern: RegExp, input: string, index: number): string | undefined {
  pattern.lastIndex = index;
  return pattern.exec(input)?.[0];
}

/** An unquoted word as a value: `\,` stands for a comma, and spaces at the end do not count. */
export const wordValue = (word: string): string => word.replaceAll('\\,', ',').trimEnd();

export type Quote = '"' | "'";

/**
 * The quoted text at `index`, its quotes included. A backslash before a quote keeps it from closing,
 * unless no other quote is left to close, and then the last such quote does.
 */
export function matchQuoted(quote: Quote, input: string, index: number): string | undefined {
  let lastEscaped = -1;
  for (let i = index + 1; i < input.length; i++) {
    if (input[i] === quote) return input.slice(index, i + 1);
    if (input[i] !== '\\') continue;
    if (input[i + 1] === quote) lastEscaped = i + 1;
    if (input[i + 1] === quote || input[i + 1] === '\\') i++;
  }
  return lastEscaped < 0 ? undefined : input.slice(index, lastEscaped + 1);
}

export const quotedValue = (quote: Quote, quoted: string): string =>
  quoted.slice(1, -1).replaceAll(`\\${quote}`, quote).replaceAll('\\\\', '\\');
