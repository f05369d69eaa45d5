/**
 * Every command and its options as data, the operations' derived from the service model. Parsing,
 * help, completion and the prompt read the same table.
 */
import { OPERATIONS, type Operation, type OperationName } from '../../service-model/operations.js';
import type { Shape } from '../../service-model/shape.js';
import { cliName } from './cli-name.js';

export type OptionValue =
  /** A member of the operation's input: JSON, shorthand, or a scalar as text. */
  | { readonly kind: 'member'; readonly member: string; readonly shape: Shape }
  | { readonly kind: 'text'; readonly placeholder: string; readonly choices?: readonly string[] }
  | { readonly kind: 'integer'; readonly placeholder: string }
  /** Text that may be left out: `--generate-cli-skeleton` alone means its first choice. */
  | {
      readonly kind: 'optional-text';
      readonly placeholder: string;
      readonly choices: readonly string[];
    }
  | { readonly kind: 'switch' };

export interface CommandOption {
  /** With its leading dashes. */
  readonly flag: string;
  readonly value: OptionValue;
  readonly required: boolean;
  readonly documentation: string;
  /** Taken, but shown nowhere: what pagination replaces. */
  readonly hidden?: true;
}

export interface PositionalArgument {
  readonly name: string;
  readonly required: boolean;
  readonly documentation: string;
  readonly choices?: readonly string[];
  /** Completion offers the names of the jobs that the service has. */
  readonly jobName?: true;
}

export interface Command {
  readonly name: string;
  /** Set where the command calls one operation of the API. */
  readonly operation?: OperationName;
  readonly summary: string;
  readonly positionals: readonly PositionalArgument[];
  readonly options: readonly CommandOption[];
}

const CLI_INPUT_OPTIONS: readonly CommandOption[] = [
  {
    flag: '--cli-input-json',
    value: { kind: 'text', placeholder: 'json' },
    required: false,
    documentation:
      'The whole input as JSON, as text or as file://PATH. Options that are given too win over it.',
  },
  {
    flag: '--cli-input-yaml',
    value: { kind: 'text', placeholder: 'yaml' },
    required: false,
    documentation:
      'The whole input as YAML, as text or as file://PATH. Options that are given too win over it.',
  },
  {
    flag: '--generate-cli-skeleton',
    value: {
      kind: 'optional-text',
      placeholder: 'kind',
      choices: ['input', 'yaml-input', 'output'],
    },
    required: false,
    documentation:
      'Send nothing; print a template of the input to fill in (as JSON, or as YAML with yaml-input), or with output check the input and print an example of the output.',
  },
];

const pagingOptions = (resultKey: string): readonly CommandOption[] => [
  {
    flag: '--starting-token',
    value: { kind: 'text', placeholder: 'token' },
    required: false,
    documentation: 'Where to go on: the NextToken that an earlier call with --max-items printed.',
  },
  {
    flag: '--page-size',
    value: { kind: 'integer', placeholder: 'number' },
    required: false,
    documentation:
      'How many items to ask for in one request. Smaller pages make more requests, and the same output.',
  },
  {
    flag: '--max-items',
    value: { kind: 'integer', placeholder: 'number' },
    required: false,
    documentation: `The most items of ${resultKey} to print. Where there are more, the output has a NextToken for --starting-token.`,
  },
];

const WAIT_OPTION: CommandOption = {
  flag: '--wait',
  value: { kind: 'switch' },
  required: false,
  documentation:
    'Do not return before the job has ended; show its progress, and exit with its outcome.',
};

const JOB_NAME_OPTION: CommandOption = {
  flag: '--optimization-job-name',
  value: {
    kind: 'member',
    member: 'OptimizationJobName',
    shape: OPERATIONS.DescribeOptimizationJob.input.members.OptimizationJobName.shape,
  },
  required: true,
  documentation: 'The name of the job.',
};

/** What Burnish adds to an operation's own options; no AWS option has one of these names. */
const ADDED_OPTIONS: Partial<Record<OperationName, readonly CommandOption[]>> = {
  CreateOptimizationJob: [WAIT_OPTION],
};

function operationCommand(operationName: OperationName): Command {
  const operation: Operation = OPERATIONS[operationName];
  const { pagination } = operation;
  const replacedByPaging: readonly string[] =
    pagination === undefined ? [] : [pagination.inputToken, pagination.limitKey];
  const members = Object.entries(operation.input.members).map(
    ([member, { shape, required, documentation }]): CommandOption => ({
      flag: `--${cliName(member)}`,
      value: { kind: 'member', member, shape },
      required,
      documentation,
      ...(replacedByPaging.includes(member) ? { hidden: true } : {}),
    }),
  );
  return {
    name: cliName(operationName),
    operation: operationName,
    summary: operation.documentation,
    positionals: [],
    options: [
      ...members,
      ...(pagination === undefined ? [] : pagingOptions(pagination.resultKey)),
      ...CLI_INPUT_OPTIONS,
      ...(ADDED_OPTIONS[operationName] ?? []),
    ],
  };
}

const ADDED_COMMANDS: readonly Command[] = [
  {
    name: 'wait',
    summary:
      'Waits until a job has ended, with its progress on the way. The exit status is 0 where the condition came true and 255 where it no longer can.',
    positionals: [
      {
        name: 'condition',
        required: true,
        documentation: 'What to wait for.',
        choices: ['optimization-job-completed'],
      },
    ],
    options: [JOB_NAME_OPTION],
  },
  {
    name: 'logs',
    summary: 'Prints the log of a job.',
    positionals: [
      {
        name: 'optimization-job-name',
        required: true,
        documentation: 'The name of the job.',
        jobName: true,
      },
    ],
    options: [
      {
        flag: '--follow',
        value: { kind: 'switch' },
        required: false,
        documentation: 'Go on printing what is added, until the job has ended.',
      },
    ],
  },
  {
    name: 'serve',
    summary: 'Runs the service on this machine.',
    positionals: [],
    options: [
      {
        flag: '--port',
        value: { kind: 'integer', placeholder: 'number' },
        required: false,
        documentation: 'The TCP port to listen on; 4580 if not given, and 0 takes a free one.',
      },
      {
        flag: '--host',
        value: { kind: 'text', placeholder: 'address' },
        required: false,
        documentation: 'The address to listen on; 127.0.0.1 if not given.',
      },
      {
        flag: '--data-dir',
        value: { kind: 'text', placeholder: 'folder' },
        required: false,
        documentation:
          'Where jobs, objects and keys are kept; BURNISH_DATA_DIR or ~/.local/share/burnish if not given.',
      },
    ],
  },
  {
    name: 'iam',
    summary:
      'Manages users, access keys, roles and policies; burnish iam --help lists its commands.',
    positionals: [
      {
        name: 'command',
        required: true,
        documentation: 'What to do, in the words of aws iam, for example create-access-key.',
      },
    ],
    options: [],
  },
  {
    name: 'kms',
    summary:
      'Manages the keys that objects are encrypted under; burnish kms --help lists its commands.',
    positionals: [
      {
        name: 'command',
        required: true,
        documentation: 'What to do, in the words of aws kms, for example create-key.',
      },
    ],
    options: [],
  },
  {
    name: 'completion',
    summary: 'Prints a script that teaches a shell to complete burnish commands.',
    positionals: [
      {
        name: 'shell',
        required: true,
        documentation: 'The shell to print it for.',
        choices: ['bash', 'zsh'],
      },
    ],
    options: [],
  },
];

/** All commands: the operations in the order of the model, then Burnish's own. */
export const COMMANDS: readonly Command[] = [
  ...(Object.keys(OPERATIONS) as OperationName[]).map(operationCommand),
  ...ADDED_COMMANDS,
];

export const findCommand = (name: string): Command | undefined =>
  COMMANDS.find((command) => command.name === name);
