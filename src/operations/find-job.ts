import { ServiceError } from '../service-model/errors.js';
import type { JobRecord } from '../store/job-record.js';
import { jobArn } from './job-arn.js';
import type { OperationContext } from './operation-context.js';

/**
 * The job of a name.
 * @throws ServiceError `ResourceNotFound`
 */
export async function findJob(context: OperationContext, name: string): Promise<JobRecord> {
  const job = await context.store.get(name);
  if (job === undefined) throw noSuchJob(jobArn(context, name));
  return job;
}

/**
 * The job of an ARN, as the tagging operations name it.
 * @throws ServiceError `ResourceNotFound` also for ARNs of other kinds, accounts and regions
 */
export async function findJobByArn(context: OperationContext, arn: string): Promise<JobRecord> {
  const name = arn.slice(arn.lastIndexOf('/') + 1);
  const job = arn === jobArn(context, name) ? await context.store.get(name) : undefined;
  if (job === undefined) throw noSuchJob(arn);
  return job;
}

export const noSuchJob = (arn: string): ServiceError =>
  new ServiceError('ResourceNotFound', `Could not find the optimization job ${arn}.`);
