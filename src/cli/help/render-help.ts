import type { PagerChoice, Terminal } from '../terminal/open-output.js';
import { withOutput } from '../terminal/open-output.js';
import type { PageStyle } from './manual-page.js';

/** Lines longer than this are hard to read, however wide the terminal is. */
const MAX_WIDTH = 100;
const DEFAULT_WIDTH = 80;

/**
 * Prints the manual of the program, or of one command, through the pager on a terminal.
 *
 * @param command the command's name as typed, for example `create-optimization-job`.
 */
export async function showHelp(
  command?: string,
  stdout: Terminal = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const isTerminal = stdout.isTTY === true;
  const columns = (isTerminal ? stdout.columns : undefined) ?? DEFAULT_WIDTH;
  const text = await renderHelp(command, { width: Math.min(columns, MAX_WIDTH), bold: isTerminal });
  await withOutput(
    manualPager(env),
    async (output) => {
      await output.write(text);
    },
    stdout,
    env,
  );
}

/** The text of a manual page. */
export async function renderHelp(command: string | undefined, style: PageStyle): Promise<string> {
  if (command !== undefined) {
    const { findCommand } = await import('../configuration/command-table.js');
    const found = findCommand(command);
    if (found !== undefined) {
      const { commandManual } = await import('./command-manual.js');
      return commandManual(found, style);
    }
  }
  const { programManual } = await import('./program-manual.js');
  return programManual(style);
}

/** As the AWS CLI: manuals go through the pager of manuals. */
function manualPager(env: NodeJS.ProcessEnv): PagerChoice {
  const configured = env.MANPAGER ?? env.PAGER;
  return { command: configured ?? 'less -R', isDefault: configured === undefined };
}
