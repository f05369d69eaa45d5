import { validationError } from '../../service-model/errors.js';

/** A word, or a phrase in double quotes, with an optional `-` or `?` before it. */
const TERM_WITH_SPACE = /([-?]?)(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))\s*/g;

/**
 * The unstructured form of CloudWatch Logs' filter patterns: all plain terms must be in a line, none
 * of those with `-`, and one of those with `?` where there are any. Upper and lower case differ.
 *
 * Source: Amazon CloudWatch Logs user guide, filter pattern syntax.
 * @returns a test of a line
 * @throws ServiceError `ValidationException` for JSON, column and regular-expression patterns
 */
export function parseFilterPattern(pattern: string): (line: string) => boolean {
  const text = pattern.trim();
  if (/^[{[%]/.test(text)) {
    throw validationError(
      'filterPattern: only words, "phrases", -excluded and ?alternative terms are supported.',
    );
  }
  const needed: string[] = [];
  const excluded: string[] = [];
  const alternatives: string[] = [];
  const lists: Readonly<Record<string, string[]>> = {
    '': needed,
    '-': excluded,
    '?': alternatives,
  };
  let end = 0;
  for (const match of text.matchAll(TERM_WITH_SPACE)) {
    const [whole, sign = '', phrase, word] = match;
    if (match.index !== end) break;
    end += whole.length;
    lists[sign]?.push(phrase?.replaceAll(/\\(.)/g, '$1') ?? word ?? '');
  }
  if (end !== text.length) {
    throw validationError(`filterPattern: can't be read from character ${end + 1} on.`);
  }
  return (line) =>
    needed.every((term) => line.includes(term)) &&
    !excluded.some((term) => line.includes(term)) &&
    (alternatives.length === 0 || alternatives.some((term) => line.includes(term)));
}
