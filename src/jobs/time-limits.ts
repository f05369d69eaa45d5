import { stepsOf } from '../service-model/techniques.js';
import type { JobRecord, JobRequest } from '../store/job-record.js';

/** One day, the API's default. */
export const DEFAULT_MAX_RUNTIME_SECONDS = 86_400;

/** A limit of StoppingCondition, and the moment at which it ends the job. */
export interface TimeLimit {
  readonly member: 'MaxRuntimeInSeconds' | 'MaxWaitTimeInSeconds' | 'MaxPendingTimeInSeconds';
  readonly seconds: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

type Limited = { readonly request: JobRequest; readonly createdAt: number };

/** Until when a job may wait in the queue; undefined for any time. */
export function queueLimit({ request, createdAt }: Limited): TimeLimit | undefined {
  const { MaxPendingTimeInSeconds, MaxWaitTimeInSeconds } = request.StoppingCondition;
  return earliest([
    limit('MaxPendingTimeInSeconds', MaxPendingTimeInSeconds, createdAt),
    limit('MaxWaitTimeInSeconds', MaxWaitTimeInSeconds, createdAt),
  ]);
}

/**
 * Until when a job may run: its runtime counts from its first start, over restarts of the service,
 * its waiting time from its creation.
 */
export function runLimit(job: Limited, startedAt: number): TimeLimit {
  const { MaxRuntimeInSeconds = DEFAULT_MAX_RUNTIME_SECONDS, MaxWaitTimeInSeconds } =
    job.request.StoppingCondition;
  const runtime: TimeLimit = {
    member: 'MaxRuntimeInSeconds',
    seconds: MaxRuntimeInSeconds,
    at: startedAt + MaxRuntimeInSeconds * 1000,
  };
  const wait = limit('MaxWaitTimeInSeconds', MaxWaitTimeInSeconds, job.createdAt);
  return earliest([runtime, wait]) ?? runtime;
}

/** How a job ends that a limit ended: a compilation fails, anything else is stopped. */
export function endByLimit(
  job: JobRecord,
  { member, seconds }: TimeLimit,
): { readonly status: 'STOPPED' | 'FAILED'; readonly failureReason: string } {
  const did = member === 'MaxPendingTimeInSeconds' ? 'waited' : 'took';
  const reason = `The job ${did} longer than StoppingCondition.${member} (${seconds} seconds).`;
  const step = job.execution === undefined ? undefined : stepsOf(job.request)[job.execution.step];
  return step?.technique === 'compilation'
    ? { status: 'FAILED', failureReason: `TimeOut: ${reason}` }
    : { status: 'STOPPED', failureReason: reason };
}

function limit(
  member: TimeLimit['member'],
  seconds: number | undefined,
  from: number,
): TimeLimit | undefined {
  return seconds === undefined ? undefined : { member, seconds, at: from + seconds * 1000 };
}

function earliest(limits: readonly (TimeLimit | undefined)[]): TimeLimit | undefined {
  return limits.reduce((first, next) =>
    first === undefined || (next !== undefined && next.at < first.at) ? next : first,
  );
}
