import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { ConfigurationError } from '../output/errors.js';
import { splitCommand } from './split-command.js';

/** Quit where everything fits one screen, show colors, leave the screen as it is. */
const LESS_OPTIONS = 'FRX';

export type Terminal = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export interface PagerChoice {
  /** The command line; undefined, or empty, for no pager. */
  readonly command: string | undefined;
  /** Nobody configured it: where it isn't installed, output goes straight to the terminal. */
  readonly isDefault: boolean;
}

export interface Output {
  /** Whether what is written goes straight to the terminal, not through a pager. */
  readonly isDirect: boolean;
  /** Resolves when the reader has room for more; false where nobody reads any longer. */
  write(text: string): Promise<boolean>;
}

/**
 * Lends out a place to write to: the pager where standard output is a terminal, standard output
 * itself elsewhere. Returns when the user has left the pager. A reader that goes away early is no
 * error.
 *
 * @throws ConfigurationError where the configured pager can't be started.
 */
export async function withOutput(
  pager: PagerChoice,
  use: (output: Output) => Promise<void>,
  stdout: Terminal = process.stdout,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const words = stdout.isTTY === true ? splitCommand(pager.command ?? '') : [];
  if (words.length === 0) {
    await use(directOutput(stdout));
    return;
  }
  const lazy = new LazyPager(words, pager.isDefault, stdout, env);
  try {
    await use(lazy);
  } finally {
    await lazy.end();
  }
}

function directOutput(stdout: Terminal): Output {
  const reader = new Reader(stdout);
  return { isDirect: true, write: (text) => reader.write(text) };
}

/** A stream whose other end may be closed at any time. */
class Reader {
  #isGone = false;

  constructor(private readonly stream: Writable) {
    stream.on('error', this.#onError);
  }

  async write(text: string): Promise<boolean> {
    if (this.#isGone || text === '') return !this.#isGone;
    await new Promise<void>((resolve, reject) => {
      this.stream.write(text, (error) => {
        if (error === null || error === undefined) resolve();
        else if (isBrokenPipe(error)) {
          this.#isGone = true;
          resolve();
        } else reject(error);
      });
    });
    return !this.#isGone;
  }

  readonly #onError = (error: Error): void => {
    if (!isBrokenPipe(error)) throw error;
    this.#isGone = true;
  };
}

const isBrokenPipe = (error: Error): boolean =>
  'code' in error && (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED');

/** Starts the pager at the first write: a command that prints nothing opens none. */
class LazyPager implements Output {
  #process: ChildProcess | undefined;
  #reader: Reader | undefined;
  #isDirect = false;

  constructor(
    private readonly words: readonly string[],
    private readonly isDefault: boolean,
    private readonly stdout: Terminal,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  get isDirect(): boolean {
    return this.#isDirect;
  }

  async write(text: string): Promise<boolean> {
    if (text === '') return true;
    this.#reader ??= await this.#start();
    return this.#reader.write(text);
  }

  /** Tells the pager that nothing more comes, and waits until the user leaves it. */
  async end(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    child.stdin?.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    process.off('SIGINT', leaveToPager);
  }

  async #start(): Promise<Reader> {
    const [command = '', ...args] = this.words;
    const child = spawn(command, args, {
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { ...this.env, LESS: this.env.LESS ?? LESS_OPTIONS },
    });
    const started = once(child, 'spawn');
    try {
      await started;
    } catch (error) {
      if (this.isDefault) {
        this.#isDirect = true;
        return new Reader(this.stdout);
      }
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigurationError(
        `Unable to redirect output to pager. Received the following error when opening pager:\n${reason}\n\nSet AWS_PAGER or cli_pager to another pager, or to nothing for none.`,
        { cause: error },
      );
    }
    if (child.stdin === null) throw new Error('The pager has no standard input.');
    // Ctrl-C is for the pager: `less` stops a search with it.
    process.on('SIGINT', leaveToPager);
    this.#process = child;
    return new Reader(child.stdin);
  }
}

function leaveToPager(): void {}
