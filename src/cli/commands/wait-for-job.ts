import { setTimeout as sleep } from 'node:timers/promises';
import {
  BURNISH_OPERATIONS,
  type OptimizationJobProgress,
} from '../../service-model/burnish-operations.js';
import { OPERATIONS, type OperationOutput } from '../../service-model/operations.js';
import type { Client } from '../client/client.js';
import { ServiceResponseError } from '../client/errors.js';
import { CliError, EXIT_STATUS, InterruptedError } from '../output/errors.js';
import { createProgressReporter, type ProgressReporter } from '../terminal/progress-bar.js';
import { readAnswer } from './read-answer.js';

type Job = OperationOutput<'DescribeOptimizationJob'>;

/** Often enough for a bar that seems to move. */
const POLL_MS = 1000;

/** An endpoint that tells no progress is AWS's or another's, and counts requests. */
const POLL_WITHOUT_PROGRESS_MS = 5000;

const ENDED: ReadonlySet<Job['OptimizationJobStatus']> = new Set([
  'COMPLETED',
  'FAILED',
  'STOPPED',
]);

/**
 * Waits until a job has ended, and shows its progress.
 *
 * @throws CliError where the job failed or was stopped, ServiceResponseError where there is none of
 * that name, InterruptedError where the signal fires; the job itself goes on.
 */
export async function waitForCompletion(
  client: Client,
  name: string,
  signal: AbortSignal,
  reporter: ProgressReporter = createProgressReporter(),
): Promise<void> {
  let progressIsTold = true;
  let last: OptimizationJobProgress | undefined;
  try {
    for (;;) {
      const progress = progressIsTold ? await describeProgress(client, name, signal) : undefined;
      if (progress === undefined) progressIsTold = false;
      last = progress ?? progressOf(await describeJob(client, name, signal));
      if (ENDED.has(last.OptimizationJobStatus)) break;
      reporter.update(last);
      await pause(progressIsTold ? POLL_MS : POLL_WITHOUT_PROGRESS_MS, signal);
    }
  } finally {
    reporter.finish(last);
  }
  const job = await describeJob(client, name, signal);
  if (job.OptimizationJobStatus === 'COMPLETED') return;
  const reason = job.FailureReason === undefined ? '' : `: ${job.FailureReason}`;
  throw new CliError(
    'Waiter OptimizationJobCompleted failed: Waiter encountered a terminal failure state: ' +
      `optimization job ${name} is ${job.OptimizationJobStatus}${reason}`,
    EXIT_STATUS.failure,
  );
}

/** Whether a job has come to an end, good or bad. */
export async function jobHasEnded(
  client: Client,
  name: string,
  signal: AbortSignal,
): Promise<boolean> {
  return ENDED.has((await describeJob(client, name, signal)).OptimizationJobStatus);
}

/** @throws InterruptedError where the signal fires. */
export async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (cause) {
    if (signal.aborted) throw new InterruptedError();
    throw cause;
  }
}

async function describeJob(client: Client, name: string, signal: AbortSignal): Promise<Job> {
  const answer = await client.send(
    'DescribeOptimizationJob',
    { OptimizationJobName: name },
    { signal },
  );
  return readAnswer(OPERATIONS.DescribeOptimizationJob.output, answer);
}

/** What a service says that has no such operation, or keeps it from this caller. */
const NOT_TOLD: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'UnknownOperationException',
]);

/** Undefined where the service doesn't tell. */
async function describeProgress(
  client: Client,
  name: string,
  signal: AbortSignal,
): Promise<OptimizationJobProgress | undefined> {
  try {
    const answer = await client.send(
      'Burnish.DescribeOptimizationJobProgress',
      { OptimizationJobName: name },
      { signal },
    );
    return readAnswer(BURNISH_OPERATIONS.DescribeOptimizationJobProgress.output, answer);
  } catch (error) {
    if (error instanceof ServiceResponseError && NOT_TOLD.has(error.code)) return undefined;
    throw error;
  }
}

const progressOf = (job: Job): OptimizationJobProgress => ({
  OptimizationJobName: job.OptimizationJobName,
  OptimizationJobStatus: job.OptimizationJobStatus,
  Steps: Math.max(1, job.OptimizationConfigs.length),
});
