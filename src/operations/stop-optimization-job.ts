import { validationError } from '../service-model/errors.js';
import type { OperationInput } from '../service-model/operations.js';
import { findJob } from './find-job.js';
import type { OperationContext } from './operation-context.js';

/**
 * Tells a job to stop; it ends some time after the answer.
 * @throws ServiceError ResourceNotFound; ValidationException for a job that is stopping or has ended
 */
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
