import type { NamedKeys } from '../encryption/named-keys.js';
import type { Executor } from '../executors/executor.js';
import type { RoleAccess } from '../identity/job-roles/role-access.js';
import type { JobQueue } from '../jobs/job-queue.js';
import type { KeptLayers } from '../jobs/kept-layers.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { ObjectLocation } from '../objects/s3-uri.js';
import type { JobStore } from '../store/job-store.js';
import type { JobLogs } from '../telemetry/job-log.js';

/** What operations work with. They know nothing of the wire they are called over. */
export interface OperationContext {
  readonly accountId: string;
  readonly region: string;
  readonly store: JobStore;
  readonly queue: JobQueue;
  /** Says what has nowhere to run. */
  readonly executor: Pick<Executor, 'refusal'>;
  readonly objects: ObjectStore;
  /** What the roles of jobs may touch. */
  readonly roles: RoleAccess;
  /** Which place an S3 URI names; throws InvalidS3UriError. */
  readonly locate: (uri: string) => ObjectLocation;
  /** The keys of the object store; undefined where the store has keys of its own that we don't know. */
  readonly kmsKeys?: Pick<NamedKeys, 'resolveUsable'> | undefined;
  readonly logs: JobLogs;
  readonly workFolder: string;
  /** Finished layers of jobs that ended before they were done. */
  readonly kept: KeptLayers;
  /** The most jobs that wait at a time; one more is refused. */
  readonly maxQueuedJobs: number;
}
