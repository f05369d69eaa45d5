import { stepFolders } from '../executors/step-folders.js';
import { jobFolder } from '../jobs/job-context.js';
import type { OptimizationJobProgress } from '../service-model/burnish-operations.js';
import type { JobRecord } from '../store/job-record.js';
import { type ProgressEvent, readProgress } from '../telemetry/read-progress.js';
import { findJob } from './find-job.js';
import type { OperationContext } from './operation-context.js';

/** What a job is doing: told by its step while it runs, and kept in its record when it has ended. */
export async function describeOptimizationJobProgress(
  context: OperationContext,
  input: { readonly OptimizationJobName: string },
): Promise<OptimizationJobProgress> {
  const job = await findJob(context, input.OptimizationJobName);
  const { step, event } = await toldProgress(context, job);
  return {
    OptimizationJobName: job.name,
    OptimizationJobStatus: job.status,
    Steps: job.request.OptimizationConfigs.length,
    Step: step === undefined ? undefined : step + 1,
    Phase: phaseOf(job, event),
    TensorsDone: event?.tensorsDone,
    TensorsTotal: event?.tensorsTotal,
    BytesDone: event?.bytesDone,
    BytesTotal: event?.bytesTotal,
    BytesPerSecond: event?.bytesPerSecond,
    SecondsLeft: secondsLeft(event),
    Layer: event?.layer,
    UpdatedTime: event?.time,
  };
}

interface Told {
  readonly step: number | undefined;
  readonly event: ProgressEvent | undefined;
}

async function toldProgress(context: OperationContext, job: JobRecord): Promise<Told> {
  const { execution, progress } = job;
  if (execution === undefined) {
    // What was kept is what the step's file said.
    return { step: progress?.step, event: progress?.event as ProgressEvent | undefined };
  }
  const folders = stepFolders(jobFolder(context, job), execution.step);
  return { step: execution.step, event: await readProgress(folders.progressFile) };
}

function phaseOf(job: JobRecord, event: ProgressEvent | undefined): string | undefined {
  if (job.status === 'STARTING') return 'waiting';
  if (job.execution?.publishing !== undefined) return 'publishing';
  return event?.phase ?? (job.status === 'INPROGRESS' ? 'staging' : undefined);
}

function secondsLeft(event: ProgressEvent | undefined): number | undefined {
  const { bytesDone, bytesTotal, bytesPerSecond = 0 } = event ?? {};
  if (bytesDone === undefined || bytesTotal === undefined || bytesPerSecond <= 0) return undefined;
  return Math.ceil(Math.max(0, bytesTotal - bytesDone) / bytesPerSecond);
}
