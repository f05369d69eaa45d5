import { rm } from 'node:fs/promises';
import { stepsOf } from '../service-model/techniques.js';
import type { JobRecord } from '../store/job-record.js';
import { type JobContext, jobFolder } from './job-context.js';
import { stepPlace } from './step-place.js';

/** Removes the temporary space of a job's attempt, also what its steps have left in the object store. */
export async function discardJob(context: JobContext, job: JobRecord): Promise<void> {
  const { objects } = context.executor;
  if (objects !== undefined) {
    try {
      for (const index of stepsOf(job.request).keys()) {
        await objects.discard(stepPlace(context, job, index));
      }
    } catch (error) {
      const what = 'what a job’s steps left in the object store was not removed';
      context.logger.warn({ err: error, job: job.name }, what);
    }
  }
  await rm(jobFolder(context, job), { recursive: true, force: true });
}
