import { setTimeout as delay } from 'node:timers/promises';
import type { Executor, StepRequest } from '../executors/executor.js';
import { readErrorFile } from '../executors/read-error-file.js';
import { interruptionOf } from './interruption.js';
import { JobFailure } from './job-failure.js';

export interface StepControl {
  /** Aborted when the step has to end early. */
  readonly signal: AbortSignal;
  /** How long a step has between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** Told the handle by which the step is found again after a restart. */
  onStarted(handle: unknown): Promise<void>;
}

/**
 * Runs one step to its end. When the control's signal is aborted the step gets SIGTERM, and SIGKILL
 * when its time to save what it has is over.
 *
 * @throws JobFailure when the program failed by itself, with the text of its error file
 * @throws the signal's reason when the step was ended early
 */
export async function runStep(
  executor: Executor,
  request: StepRequest,
  control: StepControl,
): Promise<void> {
  control.signal.throwIfAborted();
  const running = await executor.start(request);
  await control.onStarted(running.handle);

  const ended = new AbortController();
  const endEarly = async () => {
    // A service that goes down starts the step anew later; there is nothing to save.
    const shutdown = interruptionOf(control.signal)?.why === 'service-shutdown';
    running.signal('SIGTERM');
    await delay(shutdown ? 0 : control.graceMs, undefined, { signal: ended.signal }).then(
      () => running.signal('SIGKILL'),
      () => undefined,
    );
  };
  const onAbort = () => void endEarly();
  if (control.signal.aborted) onAbort();
  else control.signal.addEventListener('abort', onAbort, { once: true });

  try {
    const exit = await running.exit;
    control.signal.throwIfAborted();
    if (exit.code === 0) return;
    const reason = await readErrorFile(request.folders.errorFile);
    throw new JobFailure(reason ?? describeExit(exit.code, exit.signal));
  } finally {
    control.signal.removeEventListener('abort', onAbort);
    ended.abort();
  }
}

function describeExit(code: number | undefined, signal: string | undefined): string {
  if (signal === 'SIGKILL') {
    return 'The optimizer was killed (SIGKILL); the machine may have run out of memory. See the end of the log of the job.';
  }
  const how = signal === undefined ? `exit status ${code}` : `signal ${signal}`;
  return `The optimizer ended with ${how} and left no reason. See the end of the log of the job.`;
}
