import type { JobQueue } from '../jobs/job-queue.js';
import type { JobStore } from '../store/job-store.js';
import type { JobLogs } from '../telemetry/job-log.js';
import { LogKeeper, logLimitsOf } from '../telemetry/keep-logs.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { ServiceConfiguration } from './configuration.js';
import { openCloudWatch } from './open-cloudwatch.js';

/** More jobs than any number of nodes runs at once. */
const MAX_RUNNING = 10_000;

export interface ObservedJobs {
  readonly store: JobStore;
  readonly queue: JobQueue;
  readonly logs: JobLogs;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/**
 * Keeps the logs of jobs within their limits, and puts logs and metrics to CloudWatch where that is configured.
 * @returns a function that ends it
 */
export async function observeJobs(
  configuration: ServiceConfiguration,
  { store, queue, logs, metrics, logger }: ObservedJobs,
): Promise<() => Promise<void>> {
  const runningJobs = () => queue.runningJobs;
  const runningAnywhere = async () =>
    new Set(
      (await store.inStates(['INPROGRESS', 'STOPPING'], MAX_RUNNING)).map(({ name }) => name),
    );
  const limits = logLimitsOf(configuration.file.logs);
  const logKeeper = new LogKeeper(logs, limits, runningJobs, runningAnywhere, logger);
  logKeeper.start();
  const closeCloudWatch = await openCloudWatch(configuration, {
    ...{ logs, metrics, runningJobs, runningAnywhere, logger },
    jobsByState: () => store.countByState(),
  });
  return async () => {
    await logKeeper.close();
    await closeCloudWatch();
  };
}
