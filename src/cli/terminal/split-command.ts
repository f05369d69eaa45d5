/** An unfinished quote, or a backslash at the end. */
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
  const words: string[] = [];
  let word: string | undefined;
  let quote: '"' | "'" | undefined;
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
      if (next === '') throw new UnfinishedQuoteError('A backslash ends the command line.');
      // Inside double quotes a backslash stays, unless it guards a quote or another backslash.
      word += quote === '"' && next !== '"' && next !== '\\' ? `\\${next}` : next;
    } else word += character;
  }
  if (quote !== undefined) throw new UnfinishedQuoteError(`A ${quote} is not closed.`);
  if (word !== undefined) words.push(word);
  return words;
}

/** A word as a shell would need it typed. */
export const quoteWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
