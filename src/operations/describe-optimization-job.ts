import type { OperationInput, OperationOutput } from '../service-model/operations.js';
import { findJob } from './find-job.js';
import type { OperationContext } from './operation-context.js';

/** The request as it was accepted, and how the job stands. @throws ServiceError ResourceNotFound */
export async function describeOptimizationJob(
  context: OperationContext,
  input: OperationInput<'DescribeOptimizationJob'>,
): Promise<OperationOutput<'DescribeOptimizationJob'>> {
  const job = await findJob(context, input.OptimizationJobName);
  return {
    ...job.request,
    OptimizationJobArn: job.arn,
    OptimizationJobStatus: job.status,
    CreationTime: job.createdAt,
    LastModifiedTime: job.modifiedAt,
    OptimizationStartTime: job.startedAt,
    OptimizationEndTime: job.endedAt,
    FailureReason: job.failureReason,
  };
}
