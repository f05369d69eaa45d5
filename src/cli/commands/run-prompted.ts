import { CliError, EXIT_STATUS } from '../output/errors.js';
import { promptForCommand, resolveAutoPromptMode } from '../prompt/auto-prompt.js';
import { runCommand } from './run-command.js';

/**
 * Runs a command; where auto-prompt is on, lets the user complete the command line first, and where
 * it is on for partial commands, only after one that could not be used as it was.
 *
 * @throws CliError for everything that goes wrong, VersionRequested for `--version`.
 */
export async function runPrompted(argv: readonly string[]): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  const run = (words: readonly string[]) => runCommand(words, interrupted.signal);
  const mode = await resolveAutoPromptMode(argv);
  if (mode === 'off') return run(argv);
  if (mode === 'on') return run(await promptForCommand(argv));
  try {
    await run(argv);
  } catch (error) {
    if (!(error instanceof CliError) || error.exitStatus !== EXIT_STATUS.usage) throw error;
    await run(await promptForCommand(argv));
  }
}
