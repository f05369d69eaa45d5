import { stepFolders } from '../executors/step-folders.js';
import type { JobProgress, JobRecord } from '../store/job-record.js';
import { readProgress } from '../telemetry/read-progress.js';
import { type JobContext, jobFolder } from './job-context.js';

/** The last that a running job's step said of itself, to be kept when its folder goes. */
export async function lastProgress(
  context: JobContext,
  job: JobRecord,
): Promise<JobProgress | undefined> {
  const step = (await context.store.get(job.name))?.execution?.step;
  if (step === undefined) return undefined;
  const event = await readProgress(stepFolders(jobFolder(context, job), step).progressFile);
  return event === undefined ? undefined : { step, event: { ...event } };
}
