import { COMMANDS, type Command, findCommand } from '../configuration/command-table.js';
import {
  DEFAULT_GLOBAL_OPTIONS,
  GLOBAL_OPTIONS,
  type GlobalOption,
  type GlobalOptions,
} from '../configuration/global-options.js';
import { CliError, EXIT_STATUS } from '../output/errors.js';
import {
  type OptionSpec,
  type ParsedArguments,
  parseInteger,
  parseKnownArguments,
} from './argument-parser.js';

/** `--version` was among the arguments, and ends everything. */
export class VersionRequested extends Error {
  override readonly name = 'VersionRequested';
}

export interface CommandLine {
  readonly globals: GlobalOptions;
  readonly command: Command | 'help';
  /** The arguments of the command itself. */
  readonly rest: readonly string[];
}

const COMMAND = 'operation';

/** The service's name in the AWS CLI; scripts may keep it. */
const SERVICE_NAME = 'sagemaker';

/**
 * Takes the global options and the command out of the arguments, wherever they stand.
 *
 * @throws UsageError for an unknown command or a bad value, VersionRequested for `--version`.
 */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const commands = [...COMMANDS.map((command) => command.name), 'help'];
  const first = parseKnownArguments(
    GLOBAL_OPTIONS.map(globalOptionSpec),
    [{ name: COMMAND, required: true, choices: [...commands, SERVICE_NAME] }],
    argv,
  );
  const globals = globalOptions(first);
  if (first.values.get(COMMAND) !== SERVICE_NAME) return { globals, ...commandOf(first) };
  const positional = { name: COMMAND, required: true, choices: commands };
  return { globals, ...commandOf(parseKnownArguments([], [positional], first.remaining)) };
}

function commandOf({ values, remaining }: ParsedArguments): Pick<CommandLine, 'command' | 'rest'> {
  return { command: findCommand(String(values.get(COMMAND))) ?? 'help', rest: remaining };
}

function globalOptionSpec(option: GlobalOption): OptionSpec {
  const { flag, key } = option;
  if (key === 'version') return { flag, takes: 'nothing', stops: () => new VersionRequested() };
  switch (option.type) {
    case 'boolean':
      return { flag, key, takes: 'nothing', sets: option.sets };
    case 'string':
      return { flag, key, takes: 'one', ...(option.choices ? { choices: option.choices } : {}) };
    case 'int':
      // Not `integer`: what is no number is refused after parsing, with another exit status.
      return { flag, key, takes: 'one' };
  }
}

function globalOptions({ values }: ParsedArguments): GlobalOptions {
  const given: Record<string, unknown> = {};
  for (const { key, type } of GLOBAL_OPTIONS) {
    const value = values.get(key);
    if (value === undefined) continue;
    given[key] = type === 'int' ? secondsOf(String(value)) : value;
  }
  return { ...DEFAULT_GLOBAL_OPTIONS, ...given };
}

function secondsOf(text: string): number {
  const seconds = parseInteger(text);
  if (seconds !== undefined) return seconds;
  throw new CliError(`invalid literal for int() with base 10: '${text}'`, EXIT_STATUS.failure);
}
