/** A quote that is not closed, or a backslash at the end. */
export class UnfinishedQuoteError extends Error {
  override readonly name = 'UnfinishedQuoteError';
}

/**
 * Splits a command line into words as a POSIX shell does, without expanding anything: quotes keep
 * spaces, a backslash keeps the next character.
 *
 * @throws UnfinishedQuoteError where a quote is not closed.
 */
export function splitCommand(line: string): readonly string[] {
  const { words, last, open } = scan(line);
  if (open !== undefined) throw new UnfinishedQuoteError(`A ${open} is not closed.`);
  return last === undefined ? words : [...words, last];
}

/**
 * The words of a command line that is still being typed. The last one is the word at its end: empty
 * after a space, and whatever there is of it inside a quote.
 */
export function splitUnfinished(line: string): readonly string[] {
  const { words, last } = scan(line);
  return [...words, last ?? ''];
}

interface Scan {
  readonly words: readonly string[];
  /** The word that the line ends in; undefined where it ends between words. */
  readonly last: string | undefined;
  /** The quote, or the backslash, that is open at the end. */
  readonly open: string | undefined;
}

function scan(line: string): Scan {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let index = 0; index < line.length; index++) {
    const character = line.charAt(index);
    if (quote === undefined && /\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= '';
    if (character === quote) quote = undefined;
    else if (quote === undefined && (character === '"' || character === "'")) quote = character;
    else if (character === '\\' && quote !== "'") {
      index++;
      const next = line.charAt(index);
      if (next === '') return { words, last: word, open: '\\' };
      // Inside double quotes a backslash stays, unless it guards a quote or another backslash.
      word += quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next;
    } else word += character;
  }
  return { words, last: word, open: quote };
}

/** A word as a shell would need it typed. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
