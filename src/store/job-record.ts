import type { OperationInput } from '../service-model/operations.js';
import type { OptimizationJobStatus } from '../service-model/optimization-job-shapes.js';
import type { Infer } from '../service-model/shape.js';
import type { JobRow } from './schema.js';

export type JobStatus = Infer<typeof OptimizationJobStatus>;

export type JobRequest = Omit<OperationInput<'CreateOptimizationJob'>, 'Tags'>;

/** What is needed to find a running step again, and to tell whether its result was published. */
export interface JobExecution {
  /** Index of the step that runs, counted from 0. */
  readonly step: number;
  /** What the executor needs to find the step again; its own business. */
  readonly handle?: unknown;
  /** The machine that has to look after the step; absent where any node can. */
  readonly host?: string | undefined;
  /** SHA-256 of the report that is about to be published; set just before publishing. */
  readonly publishing?: string;
}

/** What a job is expected to take of a machine while it runs. */
export interface JobNeeds {
  /** Cores that it makes use of. */
  readonly cores: number;
  readonly memoryBytes: number;
  /** Temporary space. */
  readonly diskBytes: number;
}

/** How far a job had come when it ended: the last that its step said. */
export interface JobProgress {
  /** Index of the step, counted from 0. */
  readonly step: number;
  readonly event: Readonly<Record<string, string | number>>;
}

/** One optimization job, as it is kept. Times are milliseconds since the epoch. */
export interface JobRecord {
  readonly name: string;
  readonly arn: string;
  readonly status: JobStatus;
  readonly request: JobRequest;
  readonly optimizationTypes: readonly string[];
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly failureReason: string | undefined;
  readonly execution: JobExecution | undefined;
  /** Undefined until its source was looked at. */
  readonly needs: JobNeeds | undefined;
  readonly progress: JobProgress | undefined;
  /** The lease that the job was taken under; undefined while nobody has it. */
  readonly lease: string | undefined;
  /** How often the job was started anew because its node was lost. */
  readonly attempt: number;
  /** Of the request that created the job. */
  readonly requestId: string | undefined;
}

export function recordOfRow(row: JobRow): JobRecord {
  return {
    name: row.name,
    arn: row.arn,
    status: row.status as JobStatus,
    request: JSON.parse(row.request) as JobRequest,
    optimizationTypes: row.optimization_types.split(','),
    createdAt: row.created_at,
    modifiedAt: row.modified_at,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    failureReason: row.failure_reason ?? undefined,
    execution: row.execution === null ? undefined : (JSON.parse(row.execution) as JobExecution),
    needs: row.needs === null ? undefined : (JSON.parse(row.needs) as JobNeeds),
    progress: row.progress === null ? undefined : (JSON.parse(row.progress) as JobProgress),
    lease: row.lease_token ?? undefined,
    attempt: row.attempt,
    requestId: row.request_id ?? undefined,
  };
}
