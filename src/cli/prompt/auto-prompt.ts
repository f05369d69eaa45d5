import { type Environment, loadSharedConfig } from '../configuration/shared-config.js';
import { CliError, UsageError } from '../output/errors.js';

const AUTO_PROMPT_MODES = ['on', 'on-partial', 'off'] as const;
export type AutoPromptMode = (typeof AUTO_PROMPT_MODES)[number];

/** Arguments after which there is nothing to ask for. */
const NEVER_PROMPTED = ['help', '--help', '--version'];

/**
 * Decides from the raw arguments, before they are parsed, whether to ask: the options, then
 * AWS_CLI_AUTO_PROMPT, then `cli_auto_prompt` of the profile.
 *
 * @throws UsageError where both --cli-auto-prompt and --no-cli-auto-prompt are given.
 */
export async function resolveAutoPromptMode(
  argv: readonly string[],
  env: Environment = process.env,
): Promise<AutoPromptMode> {
  const on = argv.includes('--cli-auto-prompt');
  const off = argv.includes('--no-cli-auto-prompt');
  if (on && off) {
    throw new UsageError(
      'Both --cli-auto-prompt and --no-cli-auto-prompt cannot be specified at the same time.',
    );
  }
  if (off || NEVER_PROMPTED.some((word) => argv.includes(word))) return 'off';
  if (on) return 'on';
  const configured = env.AWS_CLI_AUTO_PROMPT ?? (await configuredMode(argv, env));
  return AUTO_PROMPT_MODES.find((mode) => mode === configured?.toLowerCase()) ?? 'off';
}

async function configuredMode(
  argv: readonly string[],
  env: Environment,
): Promise<string | undefined> {
  try {
    return (await loadSharedConfig(profileOption(argv), env)).values.cli_auto_prompt;
  } catch (error) {
    // A profile that doesn't exist is reported when the command is run.
    if (error instanceof CliError) return undefined;
    throw error;
  }
}

function profileOption(argv: readonly string[]): string | undefined {
  const joined = argv.find((word) => word.startsWith('--profile='));
  if (joined !== undefined) return joined.slice('--profile='.length);
  const index = argv.indexOf('--profile');
  return index < 0 ? undefined : argv[index + 1];
}

/**
 * Lets the user complete a command line on the terminal and resolves to the whole of it.
 *
 * @param argv what was given already, without the program's name.
 * @throws InterruptedError on Ctrl-C, ConfigurationError where there is no terminal.
 */
export async function promptForCommand(argv: readonly string[]): Promise<readonly string[]> {
  const { runPrompt } = await import('./run-prompt.js');
  return runPrompt(argv.filter((word) => word !== '--cli-auto-prompt'));
}
