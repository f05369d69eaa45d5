import { validationError } from '../service-model/errors.js';
import type { OperationInput, OperationOutput } from '../service-model/operations.js';
import { checkTags, MAX_TAGS } from './check-tags.js';
import { findJobByArn, noSuchJob } from './find-job.js';
import type { OperationContext } from './operation-context.js';

/** @throws ServiceError ResourceNotFound; ValidationException for tags that are reserved, repeated or too many */
export async function addTags(
  context: OperationContext,
  input: OperationInput<'AddTags'>,
): Promise<OperationOutput<'AddTags'>> {
  checkTags(input.Tags);
  const job = await findJobByArn(context, input.ResourceArn);
  const tags = await context.store.addTags(job.arn, input.Tags, MAX_TAGS);
  if (tags === 'no-job') throw noSuchJob(job.arn);
  if (tags === 'too-many') {
    throw validationError(
      `${job.arn} would have more than ${MAX_TAGS} tags; delete some before adding others.`,
    );
  }
  return { Tags: tags };
}
