import { setTimeout as delay } from 'node:timers/promises';
import type { RunningStep, StepRequest } from '../executors/executor.js';
import { readErrorFile } from '../executors/read-error-file.js';
import { logSize, readLogBackward } from '../telemetry/read-log.js';
import { interruptionOf } from './interruption.js';
import { JobFailure } from './job-failure.js';
import { watchSilence } from './watch-silence.js';

/** Lines of its log that are shown with the end of a program that left no reason. */
const LAST_LINES = 3;

export interface StepControl {
  /** Aborted when the step has to end early. */
  readonly signal: AbortSignal;
  /** How long a step has between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** How long a step may go without a sign of life, in milliseconds. */
  readonly silenceMs: number;
}

type StepFiles = Pick<StepRequest, 'folders' | 'logFile'>;

/**
 * Follows a running step to its end. When the control's signal is aborted the step gets SIGTERM, and
 * SIGKILL when its time to save what it has is over; but when the service goes down the step is left
 * alone, for the next process of the service to adopt.
 *
 * @throws JobFailure when the program failed by itself, with the text of its error file, or when it
 * gave no sign of life
 * @throws the signal's reason when the step was ended early, or left
 */
export async function followStep(
  running: RunningStep,
  files: StepFiles,
  control: StepControl,
): Promise<void> {
  const ended = new AbortController();
  const left = new AbortController();
  const onAbort = () => {
    if (interruptionOf(control.signal)?.why === 'service-shutdown') left.abort();
    else void endStep(running, control.graceMs, ended.signal);
  };
  let silent = false;
  const endWatch = watchSilence(files.folders.progressFile, control.silenceMs, () => {
    silent = true;
    running.signal('SIGKILL');
  });
  if (control.signal.aborted) onAbort();
  else control.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const exit = await Promise.race([running.exit, aborted(left.signal)]);
    control.signal.throwIfAborted();
    if (exit === undefined) throw new JobFailure('The step was left before it ended.');
    if (exit.code === 0) return;
    if (silent) throw new JobFailure(await silenceReason(control.silenceMs, files));
    const reason = await readErrorFile(files.folders.errorFile);
    throw new JobFailure(reason ?? (await exitReason(exit.code, exit.signal, files)));
  } finally {
    control.signal.removeEventListener('abort', onAbort);
    endWatch();
    ended.abort();
  }
}

async function endStep(running: RunningStep, graceMs: number, ended: AbortSignal): Promise<void> {
  running.signal('SIGTERM');
  await delay(graceMs, undefined, { signal: ended }).then(
    () => running.signal('SIGKILL'),
    () => undefined,
  );
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

async function silenceReason(silenceMs: number, files: StepFiles): Promise<string> {
  return `The optimizer gave no sign of life for ${silenceMs / 1000} seconds and was ended.${await lastLines(files)}`;
}

async function exitReason(
  code: number | undefined,
  signal: string | undefined,
  files: StepFiles,
): Promise<string> {
  const tail = await lastLines(files);
  if (code === undefined && (signal === undefined || signal === 'SIGKILL')) {
    return `The optimizer was killed (SIGKILL); the machine may have run out of memory.${tail}`;
  }
  const how = signal === undefined ? `exit status ${code}` : `signal ${signal}`;
  return `The optimizer ended with ${how} and left no reason.${tail}`;
}

async function lastLines({ logFile }: StepFiles): Promise<string> {
  const size = await logSize(logFile);
  if (size === undefined) return '';
  const { lines } = await readLogBackward(logFile, size, LAST_LINES);
  return ` The last lines of its log: ${lines.map((line) => line.text).join(' | ')}`;
}
