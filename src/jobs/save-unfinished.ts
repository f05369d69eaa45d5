import { keptFolder } from '../executors/step-folders.js';
import type { ObjectLocation } from '../objects/s3-uri.js';
import { resumedJobOf } from '../service-model/techniques.js';
import type { JobRecord } from '../store/job-record.js';
import { actingAsRole, type JobContext, jobFolder } from './job-context.js';
import { artifactEncryption } from './job-encryption.js';
import { publishPartial } from './publish-partial.js';

/**
 * Saves what a job has done that ends before it is done: a model that its last step saved when it was told
 * to end is published, and finished layers are kept. Nothing that goes wrong here changes how the job ends.
 *
 * @param toldToEnd whether the job was stopped or its time was over; one that failed by itself leaves no
 * model
 */
export async function saveUnfinished(
  context: JobContext,
  job: JobRecord,
  output: ObjectLocation,
  toldToEnd: boolean,
): Promise<void> {
  try {
    if (toldToEnd) await publishPartial(await actingAsRole(context, job), job, output);
    const layers = keptFolder(jobFolder(context, job));
    // Finished layers are kept as they are, which a job with a key has not asked for.
    const keepsOwn = artifactEncryption(job) === undefined;
    await context.kept.putAway(job.name, layers, resumedJobOf(job.request), keepsOwn);
  } catch (error) {
    context.logger.error({ err: error, job: job.name }, 'what a job had finished was not kept');
  }
}
