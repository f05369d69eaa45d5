import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobRecord } from '../store/job-record.js';
import type { JobContext } from './job-context.js';
import { isPublished } from './publish-result.js';
import { outputOf } from './run-job.js';
import { stepPlace } from './step-place.js';

/** More jobs than any service runs at once. */
const MAX_INTERRUPTED = 10_000;

/**
 * Looks at every job that an earlier process of the service left in the middle: completes it if its
 * result was published, ends it and what still runs of it if it was being stopped, and gives back
 * temporary space that belongs to no job.
 *
 * @returns the jobs that have to go on, oldest first
 */
export async function recoverJobs(context: JobContext): Promise<readonly JobRecord[]> {
  const { store, logger } = context;
  const toGoOn: JobRecord[] = [];
  for (const job of await store.inStates(['INPROGRESS', 'STOPPING'], MAX_INTERRUPTED)) {
    const at = Date.now();
    if (await isPublished(context, job, outputOf(context, job))) {
      await store.transition(job.name, [job.status], 'COMPLETED', { at, ended: true });
      logger.info({ job: job.name }, 'the result of an interrupted job was published already');
    } else if (job.status === 'STOPPING') {
      await reapSteps(context, job);
      await store.transition(job.name, ['STOPPING'], 'STOPPED', { at, ended: true });
    } else {
      logger.info({ job: job.name }, 'an interrupted job goes on');
      toGoOn.push(job);
    }
  }
  await reclaimWorkFolders(context.workFolder, new Set(toGoOn.map((job) => job.name)));
  return toGoOn;
}

async function reapSteps(context: JobContext, job: JobRecord): Promise<void> {
  for (const index of job.request.OptimizationConfigs.keys()) {
    await context.executor.reap(stepPlace(context, job, index));
  }
}

async function reclaimWorkFolders(workFolder: string, inUse: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(workFolder)) {
    if (!inUse.has(name)) await rm(join(workFolder, name), { recursive: true, force: true });
  }
}
