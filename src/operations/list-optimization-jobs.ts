import type { OperationInput, OperationOutput } from '../service-model/operations.js';
import type { JobRecord } from '../store/job-record.js';
import { isPositionOf, type JobFilter, positionOf } from '../store/list-jobs.js';
import type { OperationContext } from './operation-context.js';
import { readPageToken, writePageToken } from './page-token.js';

/** Jobs of one page when the caller doesn't say; the API's default. */
const DEFAULT_PAGE = 50;

/** @throws ServiceError ValidationException for a token that belongs to another question */
export async function listOptimizationJobs(
  context: OperationContext,
  input: OperationInput<'ListOptimizationJobs'>,
): Promise<OperationOutput<'ListOptimizationJobs'>> {
  const { NextToken, MaxResults: limit = DEFAULT_PAGE, ...question } = input;
  const sortBy = input.SortBy ?? 'CreationTime';
  const after =
    NextToken === undefined ? undefined : readPageToken(NextToken, question, isPositionOf(sortBy));
  // One job more than asked tells whether there is another page.
  const jobs = await context.store.list({
    filter: filterOf(input),
    sortBy,
    descending: input.SortOrder === 'Descending',
    limit: limit + 1,
    after,
  });
  const page = jobs.slice(0, limit);
  const last = page.at(-1);
  const hasMore = jobs.length > limit && last !== undefined;
  return {
    OptimizationJobSummaries: page.map(summaryOf),
    NextToken: hasMore ? writePageToken(positionOf(last, sortBy), question) : undefined,
  };
}

function filterOf(input: OperationInput<'ListOptimizationJobs'>): JobFilter {
  return {
    nameContains: input.NameContains,
    typesContain: input.OptimizationContains,
    status: input.StatusEquals,
    createdAfter: input.CreationTimeAfter,
    createdBefore: input.CreationTimeBefore,
    modifiedAfter: input.LastModifiedTimeAfter,
    modifiedBefore: input.LastModifiedTimeBefore,
  };
}

function summaryOf(job: JobRecord) {
  return {
    OptimizationJobName: job.name,
    OptimizationJobArn: job.arn,
    CreationTime: job.createdAt,
    OptimizationJobStatus: job.status,
    OptimizationStartTime: job.startedAt,
    OptimizationEndTime: job.endedAt,
    LastModifiedTime: job.modifiedAt,
    DeploymentInstanceType: job.request.DeploymentInstanceType,
    MaxInstanceCount: job.request.MaxInstanceCount,
    OptimizationTypes: job.optimizationTypes,
  };
}
