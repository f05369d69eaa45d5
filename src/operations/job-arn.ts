import type { OperationContext } from './operation-context.js';

/** The ARN of the job of a name in this account and region. */
export const jobArn = (
  { accountId, region }: Pick<OperationContext, 'accountId' | 'region'>,
  jobName: string,
): string => `arn:aws:sagemaker:${region}:${accountId}:optimization-job/${jobName}`;
