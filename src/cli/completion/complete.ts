import { ConfigurationError, UsageError } from '../output/errors.js';
import { quoteWord, splitUnfinished } from '../terminal/split-command.js';
import { type Candidate, candidates } from './candidates.js';
import { serviceNames } from './service-names.js';
import { COMPLETION_SCRIPTS, isShell, type Shell } from './shell-scripts.js';

/**
 * `burnish completion bash|zsh`: the script that the shell sources.
 *
 * @throws UsageError for any other shell.
 */
export function completionScript(shell: string): string {
  if (isShell(shell)) return COMPLETION_SCRIPTS[shell];
  throw new UsageError(
    `There is no completion for ${shell}. Choose one of: ${Object.keys(COMPLETION_SCRIPTS).join(', ')}.`,
  );
}

/**
 * `burnish __complete SHELL`, which those scripts call: prints the candidates for the word at the
 * cursor, one a line. The line and the cursor are in COMP_LINE and COMP_POINT.
 *
 * @throws ConfigurationError where COMP_LINE is missing, UsageError for an unknown shell.
 */
export async function runComplete(
  [shell = '']: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  if (!isShell(shell)) throw new UsageError(`There is no completion for ${shell}.`);
  const line = env.COMP_LINE;
  if (line === undefined) throw new ConfigurationError('COMP_LINE has no command line.');
  const point = Number(env.COMP_POINT ?? line.length);
  // The first word is the program itself.
  const words = splitUnfinished(line.slice(0, point)).slice(1);
  const current = words.at(-1) ?? '';
  const all = await candidates(words, serviceNames(words));
  const found = all.filter(({ text }) => text.startsWith(current));
  const print = PRINTERS[shell];
  process.stdout.write(found.map((candidate) => `${print(candidate, current)}\n`).join(''));
}

const PRINTERS: Readonly<Record<Shell, (candidate: Candidate, current: string) => string>> = {
  /** Bash completes from the last `=` or `:` on; a space ends what is whole. */
  bash: ({ text, isPartial }, current) => {
    const kept = current.search(/[^=:]*$/);
    return quoteWord(text.slice(kept)) + (isPartial === true ? '' : ' ');
  },
  /** The text, `+` where more follows, and what it means, with tabs between. */
  zsh: ({ text, documentation, isPartial }) =>
    [text, isPartial === true ? '+' : '.', documentation.replace(/\s+/g, ' ')].join('\t'),
};
