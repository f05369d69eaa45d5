import { join } from 'node:path';
import type { NamedKeys } from '../encryption/named-keys.js';
import type { Executor } from '../executors/executor.js';
import type { RoleAccess } from '../identity/job-roles/role-access.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { ObjectLocation } from '../objects/s3-uri.js';
import type { JobRecord } from '../store/job-record.js';
import type { JobStore } from '../store/job-store.js';
import type { JobLogs } from '../telemetry/job-log.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { ProcessingCapacity } from './admission/machine-capacity.js';
import type { KeptLayers } from './kept-layers.js';
import type { NodeLeases } from './leases/node-leases.js';

/** The objects that jobs read and write. */
export interface JobObjects {
  readonly objects: ObjectStore;
  /** What the roles of jobs may touch. */
  readonly roles: RoleAccess;
  /** Which place an S3 URI names; throws InvalidS3UriError. */
  readonly locate: (uri: string) => ObjectLocation;
  /** The keys of the object store; undefined where the store has keys of its own that we don't know. */
  readonly kmsKeys?: Pick<NamedKeys, 'resolveUsable'> | undefined;
}

/** What running jobs takes. */
export interface JobContext extends JobObjects {
  readonly store: JobStore;
  /** Which of its jobs are this process's. */
  readonly leases: NodeLeases;
  readonly executor: Executor;
  readonly logs: JobLogs;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Cores and memory that all running jobs together may take. */
  readonly capacity: ProcessingCapacity;
  /** Whether sources are copied to this machine rather than read where they are. */
  readonly copiesSources: boolean;
  /** Temporary space: one folder a job, on the file system of the embedded object store. */
  readonly workFolder: string;
  /** Finished layers of jobs that ended before they were done. */
  readonly kept: KeptLayers;
  /** Names of files by which a model asks for its licence terms to be accepted. */
  readonly termsFiles: readonly string[];
  /** Told what the step of a job takes of memory while it runs. */
  readonly onMemory?: ((jobName: string, bytes: number) => void) | undefined;
  /** How long a step has between SIGTERM and SIGKILL, in milliseconds. */
  readonly graceMs: number;
  /** How long a step may go without a sign of life, in milliseconds. */
  readonly silenceMs: number;
}

/**
 * The temporary folder of a job, another one for each attempt: of an attempt on a machine that was lost
 * something may go on, and write. Names of jobs are letters, digits and hyphens alone.
 */
export const jobFolder = (
  context: Pick<JobContext, 'workFolder'>,
  { name, attempt }: Pick<JobRecord, 'name' | 'attempt'>,
): string => join(context.workFolder, attempt === 0 ? name : `${name}~${attempt}`);

/** The same, with the objects as the job's role sees them. @throws RoleNotAssumableError */
export async function actingAsRole(context: JobContext, job: JobRecord): Promise<JobContext> {
  const session = { roleArn: job.request.RoleArn, jobName: job.name, jobArn: job.arn };
  return { ...context, objects: await context.roles.objectsFor(session) };
}
