import { validationError } from '../service-model/errors.js';
import type { OperationInput } from '../service-model/operations.js';
import { findJob } from './find-job.js';
import type { OperationContext } from './operation-context.js';

export async function stopOptimizationJob(
  context: OperationContext,
  input: OperationInput<'StopOptimizationJob'>,
): Promise<undefined> {
  const { name, arn } = await findJob(context, input.OptimizationJobName);
  if (await context.queue.stop(name)) return undefined;
  const { status } = await findJob(context, name);
  throw validationError(
    `The optimization job ${arn} can't be stopped: it is in status ${status}. Only a job in status STARTING or INPROGRESS can be.`,
  );
}
