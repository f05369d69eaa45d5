import {
  type ArgumentOptions,
  ArgumentParser,
  ArgumentTypeError,
  type ArgumentParser as Parser,
} from 'argparse';
import { argumentError, invalidChoice, suggestOptions } from './usage.js';

/** One option of a parser. */
export interface OptionSpec {
  /** With its leading dashes; any prefix of it that no other option shares works too. */
  readonly flag: string;
  /** How many values it takes: none, one, one or none, any number. */
  readonly takes: 'nothing' | 'one' | 'optional' | 'many';
  /** The value of an option that takes one or none, where it is given none. */
  readonly impliedValue?: string;
  /** What to store for an option that takes nothing; true if not given. */
  readonly sets?: boolean | string;
  /** Options of the same key overwrite one another; the flag if not given. */
  readonly key?: string;
  readonly choices?: readonly string[];
  readonly integer?: boolean;
  readonly required?: boolean;
  /** The option ends parsing at once, for example `--version`. */
  readonly stops?: () => Error;
}

export interface PositionalSpec {
  readonly name: string;
  readonly required: boolean;
  readonly choices?: readonly string[];
}

export type ParsedValue = boolean | number | string | readonly string[];

export interface ParsedArguments {
  /** By key: an option's `key` or flag, a positional's name. */
  readonly values: ReadonlyMap<string, ParsedValue>;
  /** What no option and no positional took, in order. */
  readonly remaining: readonly string[];
}

/**
 * Parses arguments as the AWS CLI does, which is as Python's `argparse` does: unambiguous prefixes
 * of options, `--option=value`, the last of repeated options, `--` before words that are no options.
 *
 * @throws UsageError with the usage, where an option lacks its value or has one too many, a value
 * is none of the choices, a prefix is ambiguous, or something required is missing.
 */
export function parseKnownArguments(
  options: readonly OptionSpec[],
  positionals: readonly PositionalSpec[],
  argv: readonly string[],
): ParsedArguments {
  const parser = new ArgumentParser({ prog: 'burnish', add_help: false });
  parser.error = (reason) => {
    const flags = options.map((option) => option.flag);
    throw argumentError(reason + suggestOptions(argv, flags));
  };
  for (const option of options) addOption(parser, option);
  for (const { name, required, choices } of positionals) {
    parser.add_argument(name, {
      ...(required ? {} : { nargs: '?' as const }),
      ...(choices === undefined ? {} : { type: oneOf(choices) }),
    });
  }
  const [namespace, remaining] = parser.parse_known_args<Record<string, unknown>>([...argv], {});
  const values = new Map<string, ParsedValue>();
  for (const [key, value] of Object.entries(namespace)) {
    if (value !== undefined && value !== null) values.set(key, value as ParsedValue);
  }
  return { values, remaining };
}

function addOption(parser: Parser, option: OptionSpec): void {
  parser.add_argument(option.flag, {
    dest: option.key ?? option.flag,
    ...(option.required === true ? { required: true } : {}),
    ...actionOf(option),
  });
}

function actionOf({ takes, impliedValue, sets, stops, ...option }: OptionSpec): ArgumentOptions {
  if (stops !== undefined) return stopWith(stops);
  if (takes === 'nothing') return { action: 'store_const', const: sets ?? true };
  return {
    ...(takes === 'many' ? { nargs: '*' } : {}),
    ...(takes === 'optional' ? { nargs: '?', const: impliedValue } : {}),
    ...(option.choices === undefined ? {} : { type: oneOf(option.choices) }),
    ...(option.integer === true ? { type: integer } : {}),
  };
}

const oneOf = (choices: readonly string[]) => (value: string) => {
  if (choices.includes(value)) return value;
  throw new ArgumentTypeError(invalidChoice(value, choices));
};

function integer(text: string): number {
  const value = parseInteger(text);
  if (value === undefined) throw new ArgumentTypeError(`invalid int value: '${text}'`);
  return value;
}

/** The integer that a text spells as Python's `int()` reads it, for example ` +1_000 `. */
export function parseInteger(text: string): number | undefined {
  if (!/^\s*[+-]?\d+(_\d+)*\s*$/.test(text)) return undefined;
  return Number(text.replaceAll('_', ''));
}

/** The parser converts even an implied value, which is the moment to stop at. */
const stopWith = (error: () => Error): ArgumentOptions => ({
  nargs: '?',
  const: '',
  type: () => {
    throw error();
  },
});
