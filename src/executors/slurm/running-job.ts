import { appendFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningStep, StepExit, StepPlace } from '../executor.js';
import { readExitFile } from '../read-exit-file.js';
import { KILL_REQUEST } from './batch-script.js';
import { exitOfJob, isLiving, readJob, type SlurmJob } from './job-state.js';
import { runSlurm, SlurmCommandError } from './slurm-command.js';
import type { SlurmOptions } from './slurm-options.js';

/** How often the step's folder is looked at for an exit status, in milliseconds. */
const EXIT_FILE_MS = 200;
/** How long a file of another node may take to be seen here, in milliseconds. */
const FILE_SYSTEM_MS = 3_000;
/** How often the controller is asked to signal a job while it is not to be reached, in milliseconds. */
const RETRY_MS = 2_000;
/** How long a job's script may take to kill its program, in milliseconds. */
const SCRIPT_MS = 5_000;
/** A step whose nodes died this often is not begun again. */
const MAX_RESTARTS = 3;

/**
 * Follows a batch job to its end: by the exit status in the step's folder, and by what the controller
 * says where there is none. A controller that is away is waited for; the job runs without it.
 */
export function followJob(options: SlurmOptions, id: string, place: StepPlace): RunningStep {
  const left = new AbortController();
  let ended = false;
  let start: () => void = () => undefined;
  const started = new Promise<void>((resolve) => {
    start = resolve;
  });
  const exit = watch(options, id, place, left.signal, start)
    .catch((error: unknown): StepExit | Promise<never> => {
      // Nobody waits for a step that was left.
      if (left.signal.aborted) return new Promise<never>(() => undefined);
      const reason = `The step’s Slurm job can’t be followed: ${(error as Error).message}.`;
      return { code: undefined, signal: undefined, reason };
    })
    .finally(() => {
      ended = true;
    });
  return {
    handle: { slurmJob: id },
    started,
    exit,
    signal(signal) {
      void signalJob(options, id, signal, () => ended || left.signal.aborted);
    },
    leave() {
      left.abort();
    },
  };
}

async function watch(
  options: SlurmOptions,
  id: string,
  { folders, logFile }: StepPlace,
  left: AbortSignal,
  start: () => void,
): Promise<StepExit> {
  let told = '';
  const tell = async (text: string) => {
    if (text === told) return;
    told = text;
    await appendFile(logFile, `${new Date().toISOString()} ${text}\n`);
  };
  let asked = 0;
  for (;;) {
    left.throwIfAborted();
    const code = await readExitFile(folders.exitFile);
    if (code !== undefined) return { code, signal: undefined };
    if (Date.now() - asked >= options.pollMs) {
      asked = Date.now();
      const job = await askFor(options, id);
      if (job === 'away') {
        await tell(`Slurm’s controller does not answer; job ${id} is waited for`);
      } else if (job === undefined || !isLiving(job)) {
        await delay(FILE_SYSTEM_MS, undefined, { signal: left });
        const late = await readExitFile(folders.exitFile);
        return late === undefined ? endOf(id, job) : { code: late, signal: undefined };
      } else {
        if (job.state === 'RUNNING') start();
        await tell(describe(id, job));
        if (job.restarts > MAX_RESTARTS) return await giveUp(options, id, job);
      }
    }
    await delay(EXIT_FILE_MS, undefined, { signal: left });
  }
}

async function askFor(options: SlurmOptions, id: string): Promise<SlurmJob | undefined | 'away'> {
  try {
    return await readJob(options, id);
  } catch (error) {
    if (error instanceof SlurmCommandError) return 'away';
    throw error;
  }
}

function endOf(id: string, job: SlurmJob | undefined): StepExit {
  if (job !== undefined) return exitOfJob(job);
  const reason = `Slurm no longer knows job ${id}, which has left no exit status.`;
  return { code: undefined, signal: undefined, reason };
}

function describe(id: string, job: SlurmJob): string {
  if (job.state === 'PENDING') return `Slurm job ${id} waits for a place (${job.reason})`;
  const again = job.restarts === 0 ? '' : `, begun again ${job.restarts} times`;
  return `Slurm job ${id} is ${job.state.toLowerCase()} on ${job.nodes}${again}`;
}

async function giveUp(options: SlurmOptions, id: string, job: SlurmJob): Promise<StepExit> {
  await signalJob(options, id, 'SIGKILL', () => false);
  const reason = `The step’s node died ${job.restarts} times, the last one being ${job.nodes}.`;
  return { code: undefined, signal: undefined, reason };
}

/**
 * Signals a job's script and all that it has started; one that still waits is cancelled.
 *
 * @param isOver whether the job has ended, or is none of ours any more
 */
export async function signalJob(
  options: SlurmOptions,
  id: string,
  signal: 'SIGTERM' | 'SIGKILL',
  isOver: () => boolean,
): Promise<void> {
  await cancel(options, ['--state=PENDING', id], isOver);
  if (signal === 'SIGTERM') {
    await cancel(options, ['--signal=TERM', '--batch', id], isOver);
    return;
  }
  await cancel(options, [`--signal=${KILL_REQUEST}`, '--batch', id], isOver);
  await delay(SCRIPT_MS);
  // A script that is gone can't do it; then Slurm ends what is left, with a patience of its own.
  await cancel(options, [id], isOver);
}

async function cancel(
  options: SlurmOptions,
  args: readonly string[],
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    try {
      await runSlurm(options, 'scancel', args);
      return;
    } catch (error) {
      // What the controller refuses has ended.
      if (!(error instanceof SlurmCommandError) || !error.unreachable) return;
      await delay(RETRY_MS);
    }
  }
}
