import type { Command, CommandOption } from '../configuration/command-table.js';
import { type OptionSpec, type ParsedValue, parseKnownArguments } from './argument-parser.js';
import { unknownOptions } from './usage.js';

/** By flag, and for positionals by name: what the command line says. */
export type CommandArguments = ReadonlyMap<string, ParsedValue>;

const HELP = 'help';

/** Whether nothing but `help` follows a command, or its positionals and then `help`. */
export const asksForHelp = (command: Command, argv: readonly string[]): boolean =>
  argv.at(-1) === HELP && argv.length <= command.positionals.length + 1;

/**
 * Parses what follows a command. Undefined means that it asks for the command's manual.
 *
 * @throws UsageError for what the command doesn't take, and for what it needs and doesn't get.
 */
export function parseCommandArguments(
  command: Command,
  argv: readonly string[],
): CommandArguments | undefined {
  if (asksForHelp(command, argv)) return undefined;
  const inputReplaced = INPUT_REPLACERS.some((replaces) => replaces(argv));
  const options = command.options.flatMap((option) => optionSpecs(option, !inputReplaced));
  const { values, remaining } = parseKnownArguments(
    options,
    [...command.positionals, { name: HELP, required: false }],
    argv,
  );
  const stray = values.get(HELP);
  if (stray === HELP) return undefined;
  const unknown = stray === undefined ? remaining : [...remaining, String(stray)];
  if (unknown.length === 0) return values;
  throw unknownOptions(
    unknown,
    options.map((option) => option.flag),
  );
}

/** Where one of these is among the arguments, none of the others is required. */
const INPUT_REPLACERS: readonly ((argv: readonly string[]) => boolean)[] = [
  (argv) => argv.includes('--cli-input-json'),
  (argv) => argv.includes('--cli-input-yaml'),
  (argv) => {
    const at = argv.indexOf('--generate-cli-skeleton');
    return at >= 0 && argv[at + 1] !== 'output';
  },
];

function optionSpecs(option: CommandOption, enforceRequired: boolean): readonly OptionSpec[] {
  const { flag, value } = option;
  const required = enforceRequired && option.required;
  switch (value.kind) {
    case 'switch':
      return [{ flag, takes: 'nothing' }];
    case 'integer':
      return [{ flag, takes: 'one', integer: true, required }];
    case 'text':
      return [{ flag, takes: 'one', required, ...(value.choices && { choices: value.choices }) }];
    case 'optional-text': {
      const [impliedValue] = value.choices;
      return [
        { flag, takes: 'optional', choices: value.choices, ...(impliedValue && { impliedValue }) },
      ];
    }
    case 'member':
      if (value.shape.type === 'boolean') {
        return [
          { flag, takes: 'nothing', sets: true },
          { flag: `--no-${flag.slice(2)}`, key: flag, takes: 'nothing', sets: false },
        ];
      }
      return [{ flag, takes: value.shape.type === 'list' ? 'many' : 'one', required }];
  }
}
