import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import type { JsonValue } from '../../service-model/read-value.js';
import { commandUsage, commonOptions, groupUsage } from './administration-usage.js';
import type { AdministrationCommand, CommandGroup } from './command-group.js';
import { openForAdministration } from './open-for-administration.js';

/** The exit statuses of the AWS CLI: what was asked for is refused, and a command line that is wrong. */
const REFUSED = 254;
const WRONG_USAGE = 252;
const FAILED = 255;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface Output {
  write(text: string): unknown;
}

/**
 * Runs an administration command on the record itself, so that it needs no running service and no key
 * of one. A service that runs takes the change up within a second.
 *
 * @returns the exit status, the AWS CLI's: 0, 252 for wrong usage, 254 for what is refused
 */
export async function runAdministration<Call>(
  group: CommandGroup<Call>,
  argv: readonly string[],
  stdout: Output,
  stderr: Output,
): Promise<number> {
  const [name = '', ...rest] = argv;
  const program = `burnish ${group.name}`;
  const command = group.commands.find((one) => one.name === name);
  if (command === undefined) {
    const asked = name === '--help' || name === 'help';
    if (asked) stdout.write(groupUsage(group));
    else stderr.write(`${groupUsage(group)}\n${program}: error: there is no command '${name}'\n`);
    return asked ? 0 : WRONG_USAGE;
  }
  try {
    const values = readOptions(group, command, rest);
    if (values === undefined) {
      stdout.write(commandUsage(group, command));
      return 0;
    }
    const answer = await run(group, command, values);
    if (answer !== undefined) stdout.write(`${JSON.stringify(answer, undefined, 4)}\n`);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) {
      stderr.write(
        `${commandUsage(group, command)}\n${program} ${name}: error: ${error.message}\n`,
      );
      return WRONG_USAGE;
    }
    const code = group.codeOf(error);
    stderr.write(
      code === undefined
        ? `\n${program} ${name}: error: ${(error as Error).message}\n`
        : `\nAn error occurred (${code}) when calling the ${operationName(name)} operation: ${(error as Error).message}\n`,
    );
    return code === undefined ? FAILED : REFUSED;
  }
}

const operationName = (command: string) =>
  command.replace(/(?:^|-)(\w)/g, (_match, letter: string) => letter.toUpperCase());

type Values = Readonly<Record<string, string | undefined>>;

/** @returns undefined where help is asked for. @throws UsageError */
function readOptions<Call>(
  group: CommandGroup<Call>,
  command: AdministrationCommand<Call>,
  argv: readonly string[],
): Values | undefined {
  const flags = [...command.options, ...commonOptions(group)].map(({ flag }) => flag.slice(2));
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
    if (choices !== undefined && value !== undefined && !choices.includes(String(value))) {
      throw new UsageError(`${flag} takes one of ${choices.join(', ')}, not '${value}'`);
    }
  }
  const accountId = values['account-id'];
  if (accountId !== undefined && !/^\d{12}$/.test(String(accountId))) {
    throw new UsageError('--account-id takes twelve digits');
  }
  return values as Values;
}

async function run<Call>(
  group: CommandGroup<Call>,
  command: AdministrationCommand<Call>,
  given: Values,
): Promise<JsonValue | undefined> {
  const values = await withDocuments(given);
  const record = await openForAdministration({
    dataDir: values['data-dir'],
    database: values.database,
  });
  const read = {
    value: (option: string) => values[option] ?? '',
    optionalValue: (option: string) => values[option],
  };
  try {
    return await command.run({ ...group.open(record, read), ...read });
  } finally {
    await record.store.close();
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
