import { stepFolders } from '../executors/step-folders.js';
import { jobFolder } from '../jobs/job-context.js';
import type { OptimizationJobProgress } from '../service-model/burnish-operations.js';
import { readProgress } from '../telemetry/read-progress.js';
import { findJob } from './find-job.js';
import type { OperationContext } from './operation-context.js';

export async function describeOptimizationJobProgress(
  context: OperationContext,
  input: { readonly OptimizationJobName: string },
): Promise<OptimizationJobProgress> {
  const job = await findJob(context, input.OptimizationJobName);
  const progress = {
    OptimizationJobName: job.name,
    OptimizationJobStatus: job.status,
    Steps: job.request.OptimizationConfigs.length,
  };
  if (job.execution === undefined) return progress;
  const folders = stepFolders(jobFolder(context, job.name), job.execution.step);
  const event = await readProgress(folders.progressFile);
  return {
    ...progress,
    Step: job.execution.step + 1,
    Phase: job.execution.publishing === undefined ? event?.phase : 'publishing',
    TensorsDone: event?.tensorsDone,
    TensorsTotal: event?.tensorsTotal,
    BytesDone: event?.bytesDone,
    BytesTotal: event?.bytesTotal,
    BytesPerSecond: event?.bytesPerSecond,
    UpdatedTime: event?.time,
  };
}
