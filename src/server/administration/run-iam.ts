import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { MasterKeyError } from '../../encryption/master-key.js';
import {
  IdentityAdministration,
  InvalidInputError,
} from '../../identity/identity-administration.js';
import { MalformedPolicyError } from '../../identity/policies/policy-document.js';
import type { JsonValue } from '../../service-model/read-value.js';
import { IdentityStoreError } from '../../store/identity-store.js';
import { DEFAULT_CONFIGURATION } from '../configuration.js';
import { IAM_COMMANDS, type IamCommand, NoSuchPolicyError } from './iam-commands.js';
import { iamUsage } from './iam-usage.js';
import { openForAdministration } from './open-for-administration.js';

/** The exit statuses of the AWS CLI: what was asked for is refused, and a command line that is wrong. */
const REFUSED = 254;
const WRONG_USAGE = 252;
const FAILED = 255;

const COMMON_OPTIONS = ['data-dir', 'database', 'account-id'] as const;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Output {
  write(text: string): unknown;
}

/**
 * `burnish iam COMMAND …`: changes who may use the service, in the record itself, so that it needs no
 * running service and no key of one. A service that runs takes the change up within a second.
 *
 * @returns the exit status, the AWS CLI's: 0, 252 for wrong usage, 254 for what is refused
 */
export async function runIam(
  argv: readonly string[],
  stdout: Output,
  stderr: Output,
): Promise<number> {
  const [name = '', ...rest] = argv;
  const command = IAM_COMMANDS.find((one) => one.name === name);
  if (command === undefined) {
    const asked = name === '--help' || name === 'help';
    if (asked) stdout.write(iamUsage());
    else stderr.write(`${iamUsage()}\nburnish iam: error: there is no command '${name}'\n`);
    return asked ? 0 : WRONG_USAGE;
  }
  try {
    const values = readOptions(command, rest);
    if (values === undefined) {
      stdout.write(iamUsage(command));
      return 0;
    }
    const answer = await run(command, values);
    if (answer !== undefined) stdout.write(`${JSON.stringify(answer, undefined, 4)}\n`);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      stderr.write(`${iamUsage(command)}\nburnish iam ${name}: error: ${error.message}\n`);
      return WRONG_USAGE;
    }
    const code = codeOf(error);
    stderr.write(
      code === undefined
        ? `\nburnish iam ${name}: error: ${(error as Error).message}\n`
        : `\nAn error occurred (${code}) when calling the ${operationName(name)} operation: ${(error as Error).message}\n`,
    );
    return code === undefined ? FAILED : REFUSED;
  }
}

const operationName = (command: string) =>
  command.replace(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase());

/** The code that IAM has for what is refused; undefined for what went wrong here. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof IdentityStoreError) return error.code;
  if (error instanceof NoSuchPolicyError) return 'NoSuchEntity';
  if (error instanceof MalformedPolicyError) return 'MalformedPolicyDocument';
  if (error instanceof InvalidInputError) return 'ValidationError';
  if (error instanceof MasterKeyError) return 'MasterKey';
  return undefined;
}

type Values = Readonly<Record<string, string | undefined>>;

/** @returns undefined where help is asked for. @throws UsageError */
function readOptions(command: IamCommand, argv: readonly string[]): Values | undefined {
  const flags = [...command.options.map(({ flag }) => flag.slice(2)), ...COMMON_OPTIONS];
  const options = Object.fromEntries(flags.map((flag) => [flag, { type: 'string' as const }]));
  let values: Readonly<Record<string, string | boolean | undefined>>;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { ...options, help: { type: 'boolean' } },
      strict: true,
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  if (values.help === true) return undefined;
  const missing = command.options.filter(
    ({ flag, optional }) => optional !== true && values[flag.slice(2)] === undefined,
  );
  if (missing.length > 0) {
    throw new UsageError(
      `the following arguments are required: ${missing.map(({ flag }) => flag).join(', ')}`,
    );
  }
  for (const { flag, choices } of command.options) {
    const value = values[flag.slice(2)];
    if (choices !== undefined && !choices.includes(String(value))) {
      throw new UsageError(`${flag} takes one of ${choices.join(', ')}, not '${value}'`);
    }
  }
  const accountId = values['account-id'];
  if (accountId !== undefined && !/^\d{12}$/.test(String(accountId))) {
    throw new UsageError('--account-id takes twelve digits');
  }
  return values as Values;
}

async function run(command: IamCommand, given: Values): Promise<JsonValue | undefined> {
  const values = await withDocuments(given);
  const { store, masterKey } = await openForAdministration({
    dataDir: values['data-dir'],
    database: values.database,
  });
  try {
    return await command.run({
      administration: new IdentityAdministration(store.identities, masterKey),
      accountId: values['account-id'] ?? DEFAULT_CONFIGURATION.accountId,
      value: (option) => values[option] ?? '',
      optionalValue: (option) => values[option],
    });
  } finally {
    await store.close();
  }
}

/** Documents may be named as files, as for the AWS CLI. @throws UsageError */
async function withDocuments(values: Values): Promise<Values> {
  const read = async ([option, value]: [string, string | undefined]) => {
    if (!option.endsWith('document') || value?.startsWith('file://') !== true) {
      return [option, value];
    }
    try {
      return [option, await readFile(value.slice('file://'.length), 'utf8')];
    } catch (error) {
      throw new UsageError(`--${option}: ${(error as Error).message}`);
    }
  };
  return Object.fromEntries(await Promise.all(Object.entries(values).map(read)));
}
