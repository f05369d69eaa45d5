import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const SCRIPT = join(import.meta.dirname, 'pseudo_terminal.py');

/** Why there is no pseudo-terminal here; undefined where there is one. */
export const whyNoTerminal: string | undefined =
  spawnSync('python3', ['-c', 'import pty, termios']).status === 0
    ? undefined
    : 'python3 with its pty module is missing';

export interface Step {
  /** Text that has to appear, after the text of the step before. */
  readonly await: string;
  /** What is typed then. */
  readonly send?: string;
}

export interface TerminalRun {
  readonly output: string;
  readonly status: number;
  /** How many of the steps were come to. */
  readonly reached: number;
}

/** Runs a program on a terminal of its own and types as the steps say. */
export async function runOnTerminal(
  argv: readonly string[],
  steps: readonly Step[] = [],
  env: Readonly<Record<string, string>> = {},
  size = { columns: 100, rows: 30 },
): Promise<TerminalRun> {
  const child = spawn('python3', [SCRIPT], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(
    JSON.stringify({
      argv,
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8', TERM: 'xterm-256color', ...env },
      ...size,
      steps,
    }),
  );
  return JSON.parse(await text(child.stdout));
}
