import type { CommandArguments } from '../arguments/parse-command-arguments.js';
import type { Command } from '../configuration/command-table.js';
import { readCliInput } from '../input/cli-input.js';
import type { InputObject, InputValue } from '../input/input-value.js';
import { parseParameter } from '../input/parse-parameter.js';

/**
 * The input that a command line gives, not yet validated: what its options set, and what
 * `--cli-input-json` or `--cli-input-yaml` adds to that.
 *
 * @throws UsageError where an option's value can't be parsed.
 */
export async function buildInput(command: Command, given: CommandArguments): Promise<InputObject> {
  const entries: [string, InputValue][] = [];
  for (const { flag, value } of command.options) {
    const argument = given.get(flag);
    if (value.kind !== 'member' || argument === undefined) continue;
    const parsed =
      typeof argument === 'boolean' || typeof argument === 'number'
        ? argument
        : parseParameter(flag, value.shape, argument);
    entries.push([value.member, parsed]);
  }
  const loaded = await readCliInput((flag) => textArgument(given, flag));
  return { ...loaded, ...Object.fromEntries(entries) };
}

/** The value of an option that takes one text, if it was given. */
export function textArgument(given: CommandArguments, flag: string): string | undefined {
  const value = given.get(flag);
  return typeof value === 'string' ? value : undefined;
}
