import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeploymentInstance, RunningStep } from '../executors/executor.js';
import { checkStepOutput } from '../executors/images/check-step-output.js';
import { stageDatasets } from '../executors/staging/stage-datasets.js';
import {
  createStepFolders,
  keptFolder,
  type StepFolders,
  stepFolders,
} from '../executors/step-folders.js';
import type { ObjectLocation } from '../objects/s3-uri.js';
import { acceleratorsOf, type DeploymentInstanceType } from '../service-model/instance-types.js';
import { RESUME_SETTING, resumedJobOf, type Step, stepsOf } from '../service-model/techniques.js';
import type { JobExecution, JobRecord } from '../store/job-record.js';
import { stepResources } from './admission/resources.js';
import { DisplacedStepError, followStep, StoppedStepError } from './follow-step.js';
import { actingAsRole, type JobContext, jobFolder } from './job-context.js';
import { checkArtifactKey } from './job-encryption.js';
import { JobFailure } from './job-failure.js';
import { publishResult } from './publish-result.js';
import { reportImages } from './report-images.js';
import { checkUnchanged, stageSource } from './stage-source.js';
import { stepObjects } from './step-objects.js';
import { networkOf, stepPlace } from './step-place.js';
import { runLimit } from './time-limits.js';
import { watchMemory } from './watch-memory.js';

/** How often a step that has lost its place begins again: one that takes nodes down with it ends. */
const MAX_MOVES = 3;

/**
 * Does the work of a job: stages the source, runs the steps in order, each on the result of the one
 * before, and publishes the last result. A job that an earlier process of the service was in the
 * middle of goes on with the step that it was at.
 *
 * @throws an error whose message says what is wrong, or the signal's reason when it was ended early
 */
export async function runJob(
  service: JobContext,
  job: JobRecord,
  signal: AbortSignal,
): Promise<void> {
  const context = await actingAsRole(service, job);
  const folder = jobFolder(context, job);
  await mkdir(folder, { recursive: true });
  await checkArtifactKey(context, job);
  await claimLayers(context, job);
  const steps = stepsOf(job.request);
  let execution: JobExecution = job.execution ?? { step: 0 };
  for (const [index, step] of steps.entries()) {
    if (index < execution.step) continue;
    execution = await runStep({ context, job, step, index, signal });
    if (index === 0) await checkUnchanged(context, job);
  }
  await publish(context, job, steps, execution, signal);
}

/** Lets the job go on from what it finished before, or from what the job left that it names. */
async function claimLayers(context: JobContext, job: JobRecord): Promise<void> {
  const from = resumedJobOf(job.request);
  const target = keptFolder(jobFolder(context, job));
  if (await context.kept.claim(job.name, target, from)) return;
  throw new JobFailure(
    `Nothing is kept of the job ${from} to go on from: another job has taken it over, or it was removed. Create the job without ${RESUME_SETTING} to start over.`,
  );
}

async function publish(
  context: JobContext,
  job: JobRecord,
  steps: readonly Step[],
  execution: JobExecution,
  signal: AbortSignal,
): Promise<void> {
  const last = steps.length - 1;
  const lastStep = steps[last];
  if (lastStep === undefined) throw new JobFailure('The job has no optimization config.');
  const run = { context, job, step: lastStep, index: last, signal };
  await note(run, `publishing to ${job.request.OutputConfig.S3OutputLocation}`);
  const folders = stepFolders(jobFolder(context, job), last);
  await reportImages(context, job, folders);
  const result = { folders, location: outputOf(context, job), execution };
  const { total } = await publishResult(context, job, result, signal);
  await note(run, total === 0 ? 'published' : `published; ${total} transient faults were got over`);
}

function deploymentOf(instanceType: DeploymentInstanceType): DeploymentInstance {
  const { accelerator, count } = acceleratorsOf(instanceType);
  return { instanceType, accelerator: accelerator.name, count, memoryGb: accelerator.memoryGb };
}

/** Where the job's artifacts go. */
export function outputOf(context: JobContext, job: JobRecord): ObjectLocation {
  return context.locate(job.request.OutputConfig.S3OutputLocation);
}

interface StepRun {
  readonly context: JobContext;
  readonly job: JobRecord;
  readonly step: Step;
  /** Counted from 0. */
  readonly index: number;
  readonly signal: AbortSignal;
}

/** @returns how the step was, or would have been, found again */
async function runStep(run: StepRun): Promise<JobExecution> {
  // Also when the job is to end already: a step that runs is asked to, and leaves what it has finished.
  const adopted = await adoptStep(run);
  let running = adopted;
  for (let moves = 0; ; moves += 1) {
    if (running === undefined) {
      run.signal.throwIfAborted();
      running = await startStep(run);
    }
    try {
      return await follow(run, running);
    } catch (error) {
      // One that was ended together with the service, by the machine going down for one, goes on.
      const stopped = error instanceof StoppedStepError && running === adopted;
      const moved = error instanceof DisplacedStepError && moves < MAX_MOVES;
      if (!(stopped || moved)) throw error;
      await note(run, `${error.message} The step begins again.`);
    }
    running = undefined;
  }
}

async function follow(run: StepRun, running: RunningStep): Promise<JobExecution> {
  const { context, job, index, step, signal } = run;
  // Only the built-in optimizer is known to give signs of life.
  const silenceMs = step.image === undefined ? context.silenceMs : undefined;
  const control = { signal, graceMs: context.graceMs, silenceMs };
  const place = stepPlace(context, job, index);
  const endWatch = watchMemory(running, (bytes) => context.onMemory?.(job.name, bytes));
  try {
    await followStep(running, place, control);
  } finally {
    endWatch();
  }
  // What a step has in the object store was looked at where it was made.
  if (step.image !== undefined) await checkStepOutput(place.folders.output);
  return { step: index, handle: running.handle, host: running.host };
}

/** The step as an earlier process of the service left it, if that is what the record speaks of. */
async function adoptStep({ context, job, index }: StepRun) {
  const { execution } = job;
  if (execution?.step !== index || execution.handle === undefined) return undefined;
  return context.executor.adopt(execution.handle, stepPlace(context, job, index));
}

async function startStep(run: StepRun) {
  const { context, job, step, index, signal } = run;
  const { technique, environment, image } = step;
  const folder = jobFolder(context, job);
  const place = stepPlace(context, job, index);
  const { folders } = place;
  const inObjects = context.executor.objects !== undefined;
  if (index === 0 && !inObjects) await note(run, `staging ${job.request.ModelSource.S3?.S3Uri}`);
  const before = stepFolders(folder, index - 1);
  const objects = inObjects ? await stepObjects(run, before) : undefined;
  const inputFolder =
    index === 0 && !inObjects ? await stageSource(context, job, signal) : before.output;
  // A job that was started before may have left a process that nobody took note of.
  if (job.startedAt !== undefined) await context.executor.reap(place);
  await createStepFolders(folders);
  const staged = image === undefined && !inObjects ? await stageTexts(run, folders) : {};
  await note(run, `step ${index + 1}: ${technique}`);
  const deployment = deploymentOf(job.request.DeploymentInstanceType);
  const settings = { technique, image, environment, deployment, datasets: staged, objects };
  const deadline = runLimit(job, job.startedAt ?? Date.now()).at;
  const limits = { deadline, graceMs: context.graceMs };
  const resources = stepResources(
    technique,
    context.capacity,
    job.needs,
    context.executor.runsElsewhere?.({ image }) ?? false,
  );
  const network = networkOf(job.request.VpcConfig);
  const request = { ...place, ...settings, ...limits, inputFolder, resources, network };
  const running = await context.executor.start(request, signal);
  const { handle, host } = running;
  await context.leases.write(
    () => context.store.setExecution(job, { step: index, handle, host }),
    signal,
  );
  return running;
}

/** Local copies of what the built-in optimizer's settings name; an image's settings are its own. */
function stageTexts({ context, step, signal }: StepRun, folders: StepFolders) {
  const folder = join(folders.root, 'datasets');
  const { objects, locate } = context;
  return stageDatasets(objects, locate, step.environment, folder, { signal });
}

function note({ context, job, step, index }: StepRun, text: string): Promise<void> {
  return context.logs.append(context.logs.fileOf(job.name, index, step.technique), text);
}
