import type { Executor } from '../executors/executor.js';
import type { JobObjects } from '../jobs/job-context.js';
import type { JobQueue } from '../jobs/job-queue.js';
import type { KeptLayers } from '../jobs/kept-layers.js';
import type { JobStore } from '../store/job-store.js';
import type { JobLogs } from '../telemetry/job-log.js';

/** What operations work with. They know nothing of the wire they are called over. */
export interface OperationContext extends JobObjects {
  readonly accountId: string;
  readonly region: string;
  readonly store: JobStore;
  readonly queue: JobQueue;
  /** Says what has nowhere to run. */
  readonly executor: Pick<Executor, 'refusal'>;
  readonly logs: JobLogs;
  readonly workFolder: string;
  /** Finished layers of jobs that ended before they were done. */
  readonly kept: KeptLayers;
  /** The most jobs that wait at a time; one more is refused. */
  readonly maxQueuedJobs: number;
}
