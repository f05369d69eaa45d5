import { UsageError } from '../output/errors.js';
import { closeMatches } from './close-matches.js';

const USAGE = `burnish [options] <operation> [parameters]
To see help text, you can run:

  burnish help
  burnish <operation> help
`;

/** Choices are listed in this many columns, each padded to the width. */
const CHOICE_COLUMNS = 2;
const CHOICE_WIDTH = 40;

/** The arguments do not fit the command: usage first, then what is wrong, as the AWS CLI has it. */
export const argumentError = (reason: string): UsageError =>
  new UsageError(`usage: ${USAGE}\n\nburnish: error: ${reason}\n`);

/** Arguments were left over that no option takes; close names of options are suggested. */
export const unknownOptions = (unknown: readonly string[], flags: readonly string[]): UsageError =>
  new UsageError(
    `usage: ${USAGE}\nUnknown options: ${unknown.join(', ')}${suggestOptions(unknown, flags)}\n`,
  );

/** What is wrong where a value is none of those that an option takes. */
export function invalidChoice(value: string, choices: readonly string[]): string {
  const lines: string[] = ['Invalid choice, valid choices are:\n'];
  for (let first = 0; first < choices.length; first += CHOICE_COLUMNS) {
    const row = choices.slice(first, first + CHOICE_COLUMNS);
    lines.push(row.map((choice) => choice.padEnd(CHOICE_WIDTH)).join(' | '));
  }
  return lines.join('\n') + suggestion('Invalid choice', value, choices);
}

/** One suggestion for each option that looks like a mistyped one, or nothing. */
export const suggestOptions = (unknown: readonly string[], flags: readonly string[]): string =>
  unknown
    .map((word) => word.split('=', 1)[0] ?? word)
    .filter((word) => word.startsWith('--') && !flags.includes(word))
    .map((word) => suggestion('Unknown option', word, flags))
    .join('');

export function suggestion(what: string, word: string, candidates: readonly string[]): string {
  const matches = closeMatches(word, candidates);
  if (matches.length === 0) return '';
  const list = matches.map((match) => `  * ${match}`).join('\n');
  return `\n\n\n${what}: '${word}', maybe you meant:\n\n${list}`;
}
