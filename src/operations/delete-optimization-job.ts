import { validationError } from '../service-model/errors.js';
import type { OperationInput } from '../service-model/operations.js';
import { findJob } from './find-job.js';
import type { OperationContext } from './operation-context.js';

/**
 * Removes a job that has ended from the record, with its logs and finished layers; its artifacts stay.
 * @throws ServiceError ResourceNotFound; ValidationException for a job that has not ended
 */
export async function deleteOptimizationJob(
  context: OperationContext,
  input: OperationInput<'DeleteOptimizationJob'>,
): Promise<undefined> {
  const { name, arn } = await findJob(context, input.OptimizationJobName);
  if (await context.store.delete(name, ['COMPLETED', 'FAILED', 'STOPPED'])) {
    await context.logs.remove(name);
    await context.kept.remove(name);
    return undefined;
  }
  const { status } = await findJob(context, name);
  throw validationError(
    `The optimization job ${arn} can't be deleted: it is in status ${status}. Stop it, and delete it when it has ended.`,
  );
}
