import type { Environment } from '../configuration/resolve-settings.js';

export type AutoPromptMode = 'on' | 'on-partial' | 'off';

/**
 * Decides from the raw arguments, before they are parsed, whether to ask.
 *
 * @throws UsageError where both --cli-auto-prompt and --no-cli-auto-prompt are given.
 */
export async function resolveAutoPromptMode(
  _argv: readonly string[],
  _env: Environment = process.env,
): Promise<AutoPromptMode> {
  throw new Error('being written');
}

/**
 * Lets the user complete a command line on the terminal and resolves to the whole of it.
 *
 * @param argv what was given already, without the program's name.
 * @throws InterruptedError on Ctrl-C.
 */
export async function promptForCommand(_argv: readonly string[]): Promise<readonly string[]> {
  throw new Error('being written');
}
