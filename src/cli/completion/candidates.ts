/** What can come next on a command line; completion and auto-prompt both offer it. */

import type { Shape } from '../../service-model/shape.js';
import {
  COMMANDS,
  type Command,
  type CommandOption,
  findCommand,
} from '../configuration/command-table.js';
import { GLOBAL_OPTIONS } from '../configuration/global-options.js';
import { listFiles } from './list-files.js';

export interface Candidate {
  /** The word as it would stand on the command line. */
  readonly text: string;
  /** A line for people; empty where the text says it all. */
  readonly documentation: string;
  readonly kind: 'command' | 'option' | 'value';
  /** More of the same word follows: a folder's name, a key before its value. */
  readonly isPartial?: true;
}

/** Names of things that the service has. */
export interface ServiceNames {
  jobNames(prefix: string): Promise<readonly string[]>;
  jobArns(prefix: string): Promise<readonly string[]>;
}

/**
 * The words that can stand in the place of the last one, whether they begin like it or not.
 *
 * @param words what follows the program's name; the last one, perhaps empty, is to be completed
 */
export function candidates(
  words: readonly string[],
  names: ServiceNames,
): Promise<readonly Candidate[]> {
  return candidatesFor(readWords(words.slice(0, -1)), words.at(-1) ?? '', names);
}

/** What the words so far amount to. */
interface CommandState {
  /** Undefined before there is one; `help` stands for itself. */
  readonly command: Command | 'help' | undefined;
  readonly usedFlags: ReadonlySet<string>;
  readonly positionals: readonly string[];
  /** The option whose value comes next. */
  readonly pending: OptionHint | undefined;
}

/** An option, of a command or of all, as far as completion is concerned. */
interface OptionHint {
  readonly flag: string;
  readonly documentation: string;
  readonly takesValue: boolean;
  readonly required: boolean;
  readonly shape?: Shape;
  readonly member?: string;
  readonly choices?: readonly string[];
}

const GLOBAL_HINTS: readonly OptionHint[] = GLOBAL_OPTIONS.map((option) => ({
  flag: option.flag,
  documentation: option.documentation,
  takesValue: option.type !== 'boolean',
  required: false,
  ...(option.type === 'string' && option.choices !== undefined ? { choices: option.choices } : {}),
}));

const commandHint = ({ flag, value, required, documentation }: CommandOption): OptionHint => ({
  flag,
  documentation,
  required,
  takesValue: value.kind !== 'switch',
  ...(value.kind === 'member' ? { shape: value.shape, member: value.member } : {}),
  ...('choices' in value && value.choices !== undefined ? { choices: value.choices } : {}),
});

/** The options that can follow, those of the command first. */
function optionHints(command: Command | 'help' | undefined): readonly OptionHint[] {
  if (command === undefined || command === 'help') return GLOBAL_HINTS;
  const own = command.options.filter((option) => option.hidden !== true).map(commandHint);
  return [...own, ...GLOBAL_HINTS];
}

function readWords(words: readonly string[]): CommandState {
  let command: Command | 'help' | undefined;
  let pending: OptionHint | undefined;
  const usedFlags = new Set<string>();
  const positionals: string[] = [];
  for (const word of words) {
    const isFlag = word.startsWith('--');
    const hint = isFlag
      ? optionHints(command).find(({ flag }) => word === flag || word.startsWith(`${flag}=`))
      : undefined;
    if (hint !== undefined) {
      usedFlags.add(hint.flag);
      pending = hint.takesValue && word === hint.flag ? hint : undefined;
    } else if (pending !== undefined && !isFlag) pending = undefined;
    else if (command === undefined && !isFlag) {
      command = word === 'help' ? 'help' : findCommand(word);
    } else if (!isFlag) positionals.push(word);
  }
  return { command, usedFlags, positionals, pending };
}

async function candidatesFor(
  state: CommandState,
  current: string,
  names: ServiceNames,
): Promise<readonly Candidate[]> {
  const { command, pending } = state;
  const hints = optionHints(command);
  if (pending !== undefined && !current.startsWith('--')) {
    return valuesOf(pending, current, names);
  }
  const joined = hints.find(({ flag }) => current.startsWith(`${flag}=`));
  if (joined !== undefined) {
    const prefix = `${joined.flag}=`;
    const values = await valuesOf(joined, current.slice(prefix.length), names);
    return values.map((value) => ({ ...value, text: prefix + value.text }));
  }
  if (current.startsWith('-')) return flags(state, hints);
  if (command === undefined) return commandCandidates(true);
  if (command === 'help') return state.positionals.length === 0 ? commandCandidates(false) : [];
  const positional = await positionalCandidates(command, state, current, names);
  return positional.length > 0 ? positional : flags(state, hints);
}

const commandCandidates = (withHelp: boolean): readonly Candidate[] => [
  ...COMMANDS.map(
    ({ name, summary }): Candidate => ({ text: name, documentation: summary, kind: 'command' }),
  ),
  ...(withHelp
    ? [{ text: 'help', documentation: 'Shows the manual.', kind: 'command' } as const]
    : []),
];

/** Flags that are not given yet; those that are needed come first. */
function flags(state: CommandState, hints: readonly OptionHint[]): readonly Candidate[] {
  const unused = hints.filter(({ flag }) => !state.usedFlags.has(flag));
  return [
    ...unused.filter(({ required }) => required),
    ...unused.filter(({ required }) => !required),
  ].map(({ flag, documentation, required }) => ({
    text: flag,
    documentation: required ? `(required) ${documentation}` : documentation,
    kind: 'option',
  }));
}

async function positionalCandidates(
  command: Command,
  { positionals }: CommandState,
  current: string,
  names: ServiceNames,
): Promise<readonly Candidate[]> {
  const next = command.positionals[positionals.length];
  if (next?.choices !== undefined) return plainValues(next.choices);
  return next?.jobName === true ? plainValues(await names.jobNames(current)) : [];
}

const plainValues = (values: readonly string[]): readonly Candidate[] =>
  values.map((text) => ({ text, documentation: '', kind: 'value' }));

/** Options whose value is the name of a file or a folder. */
const FILE_OPTIONS: ReadonlySet<string> = new Set(['--ca-bundle', '--data-dir']);

async function valuesOf(
  { flag, shape, member, choices }: OptionHint,
  current: string,
  names: ServiceNames,
): Promise<readonly Candidate[]> {
  const [fileScheme] = /^fileb?:\/\//.exec(current) ?? [];
  if (fileScheme !== undefined || FILE_OPTIONS.has(flag)) return files(fileScheme ?? '', current);
  if (choices !== undefined) return plainValues(choices);
  if (member === 'OptimizationJobName') return plainValues(await names.jobNames(current));
  if (member === 'ResourceArn') return plainValues(await names.jobArns(current));
  return shape === undefined ? [] : shapeValues(shape);
}

async function files(scheme: string, current: string): Promise<readonly Candidate[]> {
  const found = await listFiles(current.slice(scheme.length));
  return found.map(({ path, isFolder }) => ({
    text: scheme + path,
    documentation: '',
    kind: 'value',
    ...(isFolder ? { isPartial: true } : {}),
  }));
}

function shapeValues(shape: Shape): readonly Candidate[] {
  switch (shape.type) {
    case 'enum':
      return plainValues(shape.values);
    case 'boolean':
      return plainValues(['true', 'false']);
    case 'list':
      return shapeValues(shape.element);
    case 'structure':
    case 'union':
      return Object.entries(shape.members).map(([name, { documentation }]) => ({
        text: `${name}=`,
        documentation,
        kind: 'value',
        isPartial: true,
      }));
    default:
      return [];
  }
}
