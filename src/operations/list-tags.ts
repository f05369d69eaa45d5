import type { OperationInput, OperationOutput } from '../service-model/operations.js';
import { findJobByArn } from './find-job.js';
import type { OperationContext } from './operation-context.js';
import { isName, readPageToken, writePageToken } from './page-token.js';

/** Tags of one page when the caller doesn't say: all that a resource can have. */
const DEFAULT_PAGE = 50;

/** Tags by their keys. @throws ServiceError ResourceNotFound; ValidationException for a foreign token */
export async function listTags(
  context: OperationContext,
  input: OperationInput<'ListTags'>,
): Promise<OperationOutput<'ListTags'>> {
  const job = await findJobByArn(context, input.ResourceArn);
  const after =
    input.NextToken === undefined ? undefined : readPageToken(input.NextToken, job.arn, isName);
  const limit = input.MaxResults ?? DEFAULT_PAGE;
  const tags = (await context.store.listTags(job.arn)).filter(
    (tag) => after === undefined || tag.Key > after,
  );
  const page = tags.slice(0, limit);
  const last = page.at(-1);
  const hasMore = tags.length > limit && last !== undefined;
  return { Tags: page, NextToken: hasMore ? writePageToken(last.Key, job.arn) : undefined };
}
