import { stat } from 'node:fs/promises';
import {
  type CLOUDWATCH_LOGS_OPERATIONS,
  OPTIMIZATION_JOBS_LOG_GROUP,
} from '../../service-model/cloudwatch-logs-operations.js';
import type { Infer } from '../../service-model/shape.js';
import type { OperationContext } from '../operation-context.js';

type Definition = (typeof CLOUDWATCH_LOGS_OPERATIONS)['DescribeLogGroups'];

/** The one group there is, if it has the prefix. */
export async function describeLogGroups(
  { accountId, region, workFolder }: OperationContext,
  input: Infer<Definition['input']>,
): Promise<Infer<Definition['output']>> {
  const name = OPTIMIZATION_JOBS_LOG_GROUP;
  if (!name.startsWith(input.logGroupNamePrefix ?? '')) return { logGroups: [] };
  // The group is as old as the data folder.
  const { birthtimeMs } = await stat(workFolder);
  const arn = `arn:aws:logs:${region}:${accountId}:log-group:${name}:*`;
  return { logGroups: [{ logGroupName: name, arn, creationTime: Math.round(birthtimeMs) }] };
}
