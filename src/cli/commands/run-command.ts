import { asksForHelp, parseCommandArguments } from '../arguments/parse-command-arguments.js';
import { parseCommandLine } from '../arguments/parse-command-line.js';
import { findCommand } from '../configuration/command-table.js';
import type { CommandContext } from './command-context.js';

/**
 * Runs the command that the arguments name.
 *
 * @throws CliError for everything that goes wrong, VersionRequested for `--version`.
 */
export async function runCommand(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { globals, command, rest } = parseCommandLine(argv);
  if (command === 'help') return showHelp(rest[0]);
  if (asksForHelp(command, rest)) return showHelp(command.name);
  const { resolveSettings } = await import('../configuration/resolve-settings.js');
  const settings = await resolveSettings(globals);
  const given = parseCommandArguments(command, rest);
  if (given === undefined) return showHelp(command.name);
  const context: CommandContext = { command, given, settings, signal };
  if (command.operation !== undefined) {
    const { runOperation } = await import('./run-operation.js');
    return runOperation(context, command.operation);
  }
  const run = await OWN_COMMANDS[command.name]?.();
  return run?.(context);
}

/** Burnish's own commands, loaded when they are called. */
const OWN_COMMANDS: Readonly<
  Record<string, () => Promise<(context: CommandContext) => Promise<void>>>
> = {
  wait: async () => (await import('./wait-command.js')).waitCommand,
  logs: async () => (await import('./logs-command.js')).logsCommand,
  completion: async () => (await import('./completion-command.js')).completionCommand,
};

/** Shows the manual of the command among the arguments, or of the program. */
export const showHelpFor = (argv: readonly string[]): Promise<void> =>
  showHelp(argv.find((argument) => findCommand(argument) !== undefined));

async function showHelp(command?: string): Promise<void> {
  const help = await import('../help/render-help.js');
  await help.showHelp(command);
}
