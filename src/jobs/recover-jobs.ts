import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { JobRecord } from '../store/job-record.js';
import { discardJob } from './discard-job.js';
import { type JobContext, jobFolder } from './job-context.js';
import { isPublished } from './publish-result.js';
import { outputOf } from './run-job.js';
import { saveUnfinished } from './save-unfinished.js';
import { stepPlace } from './step-place.js';
import { runLimit } from './time-limits.js';

/** More jobs than any service runs at once. */
const MAX_INTERRUPTED = 10_000;

/**
 * Takes over every job whose process of the service is gone: completes it if its result was published,
 * ends it and what still runs of it if it was being stopped. Of the others, those whose step this
 * machine can look after go on here; the rest is put back into the queue.
 *
 * @param isHere jobs that this process is still at; they are left alone
 * @returns the jobs that go on here, oldest first
 */
export async function recoverJobs(
  context: JobContext,
  isHere: (name: string) => boolean,
): Promise<readonly JobRecord[]> {
  const { store, leases, logger } = context;
  const toGoOn: JobRecord[] = [];
  for (const { name } of await store.leases.lost(leases.holder, MAX_INTERRUPTED)) {
    if (isHere(name)) continue;
    const job = await leases.takeLost(name);
    if (job === undefined) continue;
    try {
      if (await goesOn(context, job)) toGoOn.push(job);
      else leases.drop(name);
    } catch (error) {
      // Its lease runs out, and the next look is at it again.
      leases.drop(name);
      logger.error({ err: error, job: name }, 'an interrupted job was not taken over');
    }
  }
  return toGoOn;
}

/** Gives back temporary space that belongs to no job: what was there before is looked at alone. */
export async function reclaimWorkFolders(context: JobContext): Promise<void> {
  const names = await readdir(context.workFolder);
  const active = await context.store.inStates(['INPROGRESS', 'STOPPING'], MAX_INTERRUPTED);
  const inUse = new Set(active.map((job) => basename(jobFolder(context, job))));
  for (const name of names) {
    if (inUse.has(name)) continue;
    await rm(join(context.workFolder, name), { recursive: true, force: true });
  }
}

async function goesOn(context: JobContext, job: JobRecord): Promise<boolean> {
  const { store, leases, logger } = context;
  const at = Date.now();
  const ended = { at, ended: true, lease: job.lease };
  if (await isPublished(context, job, outputOf(context, job))) {
    await store.transition(job.name, [job.status], 'COMPLETED', ended);
    await discardJob(context, job);
    logger.info({ job: job.name }, 'the result of an interrupted job was published already');
    return false;
  }
  if (job.status === 'STOPPING') {
    await reapSteps(context, job);
    await saveUnfinished(context, job, outputOf(context, job), true);
    await store.transition(job.name, ['STOPPING'], 'STOPPED', ended);
    await discardJob(context, job);
    return false;
  }
  if (!leases.shared || isReachable(job, leases.host)) {
    logger.info({ job: job.name }, 'an interrupted job goes on');
    return true;
  }
  await reapSteps(context, job);
  await store.leases.requeue(job, at, runLimit(job, job.startedAt ?? at).at);
  await discardJob(context, job);
  logger.info({ job: job.name }, 'a job whose node was lost waits to be started anew');
  return false;
}

/** Whether the step that a record speaks of can be looked after from a machine. */
function isReachable({ execution }: JobRecord, host: string): boolean {
  if (execution?.handle === undefined) return false;
  return execution.host === undefined || execution.host === host;
}

async function reapSteps(context: JobContext, job: JobRecord): Promise<void> {
  for (const index of job.request.OptimizationConfigs.keys()) {
    await context.executor.reap(stepPlace(context, job, index));
  }
}
