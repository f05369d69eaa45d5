import type { OperationInput, OperationOutput } from '../service-model/operations.js';
import { findJobByArn } from './find-job.js';
import type { OperationContext } from './operation-context.js';

/** Removes tags; keys that the resource has not are no error. @throws ServiceError ResourceNotFound */
export async function deleteTags(
  context: OperationContext,
  input: OperationInput<'DeleteTags'>,
): Promise<OperationOutput<'DeleteTags'>> {
  const job = await findJobByArn(context, input.ResourceArn);
  await context.store.deleteTags(job.arn, input.TagKeys);
  return {};
}
