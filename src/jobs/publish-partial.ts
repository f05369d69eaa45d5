import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkStepOutput } from '../executors/images/check-step-output.js';
import { stepFolders } from '../executors/step-folders.js';
import { partialLocation } from '../objects/partial-results.js';
import type { ObjectLocation } from '../objects/s3-uri.js';
import { REPORT_FILE } from '../optimizer/report/types.js';
import { stepsOf } from '../service-model/techniques.js';
import type { JobRecord } from '../store/job-record.js';
import { amendReport } from './amend-report.js';
import { type JobContext, jobFolder } from './job-context.js';
import { artifactEncryption } from './job-encryption.js';
import { failureReason } from './job-failure.js';
import { copiesOf } from './publish-result.js';

/**
 * Publishes what a job that was told to end has left, if that is a whole model: what the step that was
 * ended saved, or else the result of the step before it. The report is the last file of a model that is
 * written, so where it is, the rest is too. Nothing that goes wrong here changes how the job ends.
 *
 * @param context with the objects as the job's role sees them
 */
export async function publishPartial(
  context: JobContext,
  job: JobRecord,
  output: ObjectLocation,
): Promise<void> {
  const steps = stepsOf(job.request);
  const folder = jobFolder(context, job);
  const index = steps.findLastIndex((_, step) =>
    existsSync(join(stepFolders(folder, step).output, REPORT_FILE)),
  );
  const step = steps[index];
  if (step === undefined) return;
  const folders = stepFolders(folder, index);
  const { output: model } = folders;
  const log = context.logs.fileOf(job.name, index, step.technique);
  const uri = `${job.request.OutputConfig.S3OutputLocation.replace(/\/+$/, '')}/partial/${job.name}/`;
  try {
    if (step.image !== undefined) await checkStepOutput(model);
    await amendReport(model, { complete: false });
    const confirm = () => context.leases.confirm(job);
    const encryption = artifactEncryption(job);
    const copies = await copiesOf(folders);
    await context.objects.publishFolder(model, partialLocation(output, job.name), {
      confirm,
      ...(copies === undefined ? {} : { copies }),
      ...(encryption === undefined ? {} : { encryption }),
    });
    await context.logs.append(log, `what is finished was published to ${uri}`);
  } catch (error) {
    context.logger.warn({ err: error, job: job.name }, 'a partial model was not published');
    const reason = failureReason(error);
    await context.logs.append(log, `what is finished was not published to ${uri}: ${reason}`);
  }
}
