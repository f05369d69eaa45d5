import { join } from 'node:path';
import { findLicenseTerms } from '../executors/staging/license-terms.js';
import { stageDatasets } from '../executors/staging/stage-datasets.js';
import { createStepFolders, stepFolders } from '../executors/step-folders.js';
import type { ObjectLocation } from '../objects/s3-uri.js';
import { type Step, stepsOf } from '../service-model/techniques.js';
import type { JobRecord } from '../store/job-record.js';
import { type JobContext, jobFolder } from './job-context.js';
import { JobFailure } from './job-failure.js';
import { publishResult } from './publish-result.js';
import { runStep } from './run-step.js';

/**
 * Does the work of a job: stages the source, runs the steps in order, each on the result of the one
 * before, and publishes the last result.
 *
 * @throws an error whose message says what is wrong, or the signal's reason when it was ended early
 */
export async function runJob(
  context: JobContext,
  job: JobRecord,
  signal: AbortSignal,
): Promise<void> {
  const folder = jobFolder(context, job.name);
  const steps = stepsOf(job.request);
  const note = (index: number, step: Step, text: string) =>
    context.logs.append(context.logs.fileOf(job.name, index, step.technique), text);
  const [firstStep] = steps;
  if (firstStep === undefined) throw new JobFailure('The job has no optimization config.');

  const source = sourceOf(context, job);
  await note(0, firstStep, `staging ${source.uri}`);
  const staged = await context.objects.stageFolder(source.location, join(folder, 'source'), {
    signal,
  });
  await checkLicense(job, staged.path, source.uri);

  let inputFolder = staged.path;
  for (const [index, step] of steps.entries()) {
    const folders = stepFolders(folder, index);
    await createStepFolders(folders);
    const datasets = await stageDatasets(
      context.objects,
      context.locate,
      step.environment,
      join(folders.root, 'datasets'),
      signal,
    );
    await note(index, step, `step ${index + 1} of ${steps.length}: ${step.technique}`);
    await runStep(
      context.executor,
      {
        technique: step.technique,
        environment: step.environment,
        datasets,
        inputFolder,
        folders,
        logFile: context.logs.fileOf(job.name, index, step.technique),
      },
      {
        signal,
        graceMs: context.graceMs,
        onStarted: (handle) => context.store.setExecution(job.name, { step: index, handle }),
      },
    );
    inputFolder = folders.output;
  }

  const output = job.request.OutputConfig.S3OutputLocation;
  const lastStep = steps.at(-1) ?? firstStep;
  await note(steps.length - 1, lastStep, `publishing to ${output}`);
  await publishResult(context, job, inputFolder, outputOf(context, job), signal);
  await note(steps.length - 1, lastStep, 'published');
}

/** Where the job's artifacts go. */
export function outputOf(context: JobContext, job: JobRecord): ObjectLocation {
  return context.locate(job.request.OutputConfig.S3OutputLocation);
}

function sourceOf(
  context: JobContext,
  job: JobRecord,
): { readonly uri: string; readonly location: ObjectLocation } {
  const uri = job.request.ModelSource.S3?.S3Uri;
  if (uri === undefined) throw new JobFailure('ModelSource.S3.S3Uri is not set.');
  return { uri, location: context.locate(uri) };
}

async function checkLicense(job: JobRecord, folder: string, uri: string): Promise<void> {
  if (job.request.ModelSource.S3?.ModelAccessConfig?.AcceptEula === true) return;
  const terms = await findLicenseTerms(folder);
  if (terms !== undefined) {
    throw new JobFailure(
      `The model at ${uri} carries an end-user license agreement (${terms}). Read it and, to accept it, set ModelSource.S3.ModelAccessConfig.AcceptEula to true.`,
    );
  }
}
