import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DEFAULT_TERMS_FILES } from '../executors/staging/license-terms.js';
import type { RoleAccess } from '../identity/job-roles/role-access.js';
import { processingCapacity } from '../jobs/admission/machine-capacity.js';
import { JobQueue } from '../jobs/job-queue.js';
import { KeptLayers, keptLimitsOf } from '../jobs/kept-layers.js';
import { JobLogs } from '../telemetry/job-log.js';
import type { Logger } from '../telemetry/logger.js';
import type { Metrics } from '../telemetry/metrics.js';
import type { ServiceConfiguration } from './configuration.js';
import { createExecutors } from './create-executors.js';
import type { OpenRecord } from './open-record.js';
import type { OpenStorage } from './open-storage.js';

/** What jobs are run with. */
export interface JobParts {
  readonly record: OpenRecord;
  readonly storage: OpenStorage;
  /** What the roles of jobs may touch. */
  readonly roles: RoleAccess;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Starts the queue of jobs, which takes up interrupted ones, and returns what it works with. */
export async function startJobs(
  configuration: ServiceConfiguration,
  { record, storage, roles, logger, metrics }: JobParts,
) {
  const { dataDir, file } = configuration;
  const { store, leases } = record;
  const { objects, locate, kmsKeys } = storage;
  const workFolder = join(dataDir, 'work');
  await mkdir(workFolder, { recursive: true });
  const logs = new JobLogs(join(dataDir, 'logs'));
  const executor = createExecutors(configuration);
  const capacity = await processingCapacity(file.scheduling);
  const kept = new KeptLayers(join(dataDir, 'checkpoints'), keptLimitsOf(file.checkpoints));
  await kept.sweep();
  const context = {
    ...{ store, leases, objects, roles, locate, kmsKeys, logs, logger, metrics, workFolder, kept },
    ...{ executor, capacity },
    copiesSources: configuration.s3Endpoint !== undefined,
    termsFiles: file.license?.termsFiles ?? DEFAULT_TERMS_FILES,
    graceMs: configuration.stopGraceSeconds * 1000,
    silenceMs: configuration.silenceSeconds * 1000,
  };
  const queue = new JobQueue(context, configuration.concurrentJobs);
  await queue.start();
  metrics.showResources(() => ({ given: queue.given, capacity }));
  return { queue, executor, logs, kept, workFolder };
}
