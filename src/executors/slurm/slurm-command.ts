import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ExecutorError } from '../executor.js';
import type { SlurmOptions } from './slurm-options.js';

const execute = promisify(execFile);

/** A controller that does not answer a command in this time, in milliseconds, is asked again. */
const COMMAND_MS = 30_000;
/** For how long, and how often, in milliseconds. */
const PATIENCE_MS = 300_000;
const RETRY_MS = 2_000;
/** More than a list of all jobs of a large cluster. */
const MAX_OUTPUT_BYTES = 64 * 1024 ** 2;

/** What the commands say when the controller can't be reached, or is just starting. */
const UNREACHABLE =
  /Unable to contact slurm controller|Socket timed out|Connection (?:refused|reset)|slurm_persist_conn|Zero Bytes were transmitted|Slurm backup controller in standby|Transport endpoint/i;

/** A command of Slurm's that failed; the message is what it said. */
export class SlurmCommandError extends Error {
  override readonly name = 'SlurmCommandError';

  constructor(
    message: string,
    /** Whether the controller was not to be reached, so that nothing was decided. */
    readonly unreachable: boolean,
  ) {
    super(message);
  }
}

/** Runs a command of Slurm's once, with nothing of the service's environment. */
export async function runSlurm(
  options: Pick<SlurmOptions, 'configurationFile'>,
  command: 'sbatch' | 'scancel' | 'scontrol' | 'squeue' | 'sinfo',
  args: readonly string[],
  timeoutMs = COMMAND_MS,
): Promise<string> {
  const { configurationFile } = options;
  const env = {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LANG: 'C.UTF-8',
    ...(configurationFile === undefined ? {} : { SLURM_CONF: configurationFile }),
  };
  try {
    const limits = { timeout: timeoutMs, maxBuffer: MAX_OUTPUT_BYTES };
    const { stdout } = await execute(command, args, { env, ...limits });
    return stdout;
  } catch (error) {
    const { stderr = '', message, killed } = error as Error & { stderr?: string; killed?: boolean };
    const text = stderr.trim() === '' ? message : stderr.trim();
    throw new SlurmCommandError(text, killed === true || UNREACHABLE.test(text));
  }
}

/**
 * Runs a command, again and again while the controller is not to be reached.
 * @throws ExecutorError when it stays away, SlurmCommandError when it refuses, the signal's reason
 */
export async function runSlurmPatiently(
  options: Pick<SlurmOptions, 'configurationFile'>,
  command: Parameters<typeof runSlurm>[1],
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> {
  const last = Date.now() + PATIENCE_MS;
  for (;;) {
    signal?.throwIfAborted();
    try {
      return await runSlurm(options, command, args);
    } catch (error) {
      if (!(error instanceof SlurmCommandError) || !error.unreachable) throw error;
      if (Date.now() > last) {
        throw new ExecutorError(`Slurm’s controller does not answer: ${error.message}`);
      }
    }
    await delay(RETRY_MS, undefined, { signal });
  }
}
