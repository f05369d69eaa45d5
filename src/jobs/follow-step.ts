import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunningStep, StepExit, StepRequest } from '../executors/executor.js';
import { readErrorFile } from '../executors/read-error-file.js';
import { logSize, readLogBackward } from '../telemetry/read-log.js';
import { interruptionOf, isLeft } from './interruption.js';
import { JobFailure } from './job-failure.js';
import { watchSilence } from './watch-silence.js';

/** Lines of its log that are shown with the end of a program that left no reason. */
const LAST_LINES = 3;

/** 128 and the number of SIGTERM: how a program ends that was told to stop. */
const STOPPED_STATUS = 143;

/** The step ended as one does that is told to stop, but it was not this service that told it. */
export class StoppedStepError extends JobFailure {
  constructor() {
    super('The step’s program was told to end (SIGTERM) by something else than this service.');
  }
}

/** The step lost its place, and not by its own doing. */
export class DisplacedStepError extends JobFailure {}

export interface StepControl {
  /** Aborted when the step has to end early. */
  readonly signal: AbortSignal;
  /** How long a step has between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** How long a step may go without a sign of life, in milliseconds; undefined for any time. */
  readonly silenceMs: number | undefined;
}

type StepFiles = Pick<StepRequest, 'folders' | 'logFile'>;

/**
 * Follows a running step to its end. When the control's signal is aborted the step gets SIGTERM, and
 * SIGKILL when its time to save what it has is over. When the service goes down, or another node has
 * taken the job over, the step is left alone, for the other process of the service to adopt; one that
 * the other can't reach is killed.
 *
 * @throws DisplacedStepError, StoppedStepError when something else ended the step
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
    const why = interruptionOf(control.signal)?.why;
    if (isLeft(why)) {
      if (why === 'lease-lost') running.signal('SIGKILL');
      running.leave();
      left.abort();
    } else void endStep(running, control.graceMs, ended.signal);
  };
  const silence = watchStep(running, files, control.silenceMs, ended.signal);
  if (control.signal.aborted) onAbort();
  else control.signal.addEventListener('abort', onAbort, { once: true });
  try {
    const exit = await Promise.race([running.exit, aborted(left.signal)]);
    control.signal.throwIfAborted();
    if (exit === undefined) throw new JobFailure('The step was left before it ended.');
    if (exit.code === 0) return;
    if (silence.fell !== undefined) throw new JobFailure(await silenceReason(silence.fell, files));
    if (exit.displaced === true)
      throw new DisplacedStepError(exit.reason ?? 'The step lost its place.');
    if (exit.code === STOPPED_STATUS) throw new StoppedStepError();
    const reason = await readErrorFile(files.folders.errorFile);
    throw new JobFailure(reason ?? (await exitReason(exit, files)));
  } finally {
    control.signal.removeEventListener('abort', onAbort);
    ended.abort();
  }
}

/**
 * Ends a step that gives no sign of life; one that still waits for its place is not silent.
 * @returns what says, once the step was ended so, after how many milliseconds of silence
 */
function watchStep(
  running: RunningStep,
  files: StepFiles,
  silenceMs: number | undefined,
  ended: AbortSignal,
): { readonly fell: number | undefined } {
  const silence: { fell: number | undefined } = { fell: undefined };
  if (silenceMs === undefined) return silence;
  const watch = () => {
    if (ended.aborted) return;
    const endWatch = watchSilence(files.folders.progressFile, silenceMs, () => {
      silence.fell = silenceMs;
      running.signal('SIGKILL');
    });
    ended.addEventListener('abort', endWatch, { once: true });
  };
  if (running.started === undefined) watch();
  else void running.started.then(watch);
  return silence;
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
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}

async function silenceReason(silenceMs: number, files: StepFiles): Promise<string> {
  return `The step’s program gave no sign of life for ${silenceMs / 1000} seconds and was ended.${await lastLines(files)}`;
}

async function exitReason({ code, signal, reason }: StepExit, files: StepFiles): Promise<string> {
  const tail = await lastLines(files);
  if (reason !== undefined) return `${reason}${tail}`;
  if (code === undefined && (signal === undefined || signal === 'SIGKILL')) {
    return `The step’s program was killed (SIGKILL); the machine may have run out of memory.${tail}`;
  }
  const how =
    signal === undefined ? `exit status ${code}${signalBehind(code)}` : `signal ${signal}`;
  return `The step’s program ended with ${how} and left no reason.${tail}`;
}

/** Where a program runs below a shell or in a container, 128 and a signal's number is its status. */
function signalBehind(code = 0): string {
  const name = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0];
  return name === undefined ? '' : ` (${name})`;
}

async function lastLines({ logFile }: StepFiles): Promise<string> {
  const size = await logSize(logFile);
  if (size === undefined) return '';
  const { lines } = await readLogBackward(logFile, size, LAST_LINES);
  return ` The last lines of its log: ${lines.map((line) => line.text).join(' | ')}`;
}
