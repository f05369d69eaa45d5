import { BURNISH_OPERATIONS, BURNISH_TARGET_PREFIX } from '../service-model/burnish-operations.js';
import {
  CLOUDWATCH_LOGS_OPERATIONS,
  CLOUDWATCH_LOGS_TARGET_PREFIX,
} from '../service-model/cloudwatch-logs-operations.js';
import { OPERATIONS, SERVICE } from '../service-model/operations.js';
import type { Infer, StructureShape } from '../service-model/shape.js';
import { addTags } from './add-tags.js';
import { describeLogGroups } from './cloudwatch-logs/describe-log-groups.js';
import { describeLogStreams } from './cloudwatch-logs/describe-log-streams.js';
import { filterLogEvents } from './cloudwatch-logs/filter-log-events.js';
import { getLogEvents } from './cloudwatch-logs/get-log-events.js';
import { createOptimizationJob } from './create-optimization-job/create-optimization-job.js';
import { deleteOptimizationJob } from './delete-optimization-job.js';
import { deleteTags } from './delete-tags.js';
import { describeOptimizationJob } from './describe-optimization-job.js';
import { describeOptimizationJobProgress } from './describe-optimization-job-progress.js';
import { listOptimizationJobs } from './list-optimization-jobs.js';
import { listTags } from './list-tags.js';
import type { OperationContext } from './operation-context.js';
import { stopOptimizationJob } from './stop-optimization-job.js';

/** An operation with its shapes, ready to be called with a value of its input shape. */
export interface OperationHandler {
  readonly input: StructureShape;
  readonly output: StructureShape | undefined;
  handle(context: OperationContext, input: unknown): Promise<unknown>;
}

function handler<Input extends StructureShape, Output extends StructureShape | undefined>(
  definition: { readonly input: Input; readonly output: Output },
  handle: (
    context: OperationContext,
    input: Infer<Input>,
  ) => Promise<Output extends StructureShape ? Infer<Output> : undefined>,
): OperationHandler {
  return { ...definition, handle: (context, input) => handle(context, input as Infer<Input>) };
}

const AWS = OPERATIONS;
const LOGS = CLOUDWATCH_LOGS_OPERATIONS;

/** Every operation by its `X-Amz-Target`. */
export const OPERATION_HANDLERS: ReadonlyMap<string, OperationHandler> = new Map([
  ...withPrefix(SERVICE.targetPrefix, {
    CreateOptimizationJob: handler(AWS.CreateOptimizationJob, createOptimizationJob),
    DescribeOptimizationJob: handler(AWS.DescribeOptimizationJob, describeOptimizationJob),
    ListOptimizationJobs: handler(AWS.ListOptimizationJobs, listOptimizationJobs),
    StopOptimizationJob: handler(AWS.StopOptimizationJob, stopOptimizationJob),
    DeleteOptimizationJob: handler(AWS.DeleteOptimizationJob, deleteOptimizationJob),
    AddTags: handler(AWS.AddTags, addTags),
    ListTags: handler(AWS.ListTags, listTags),
    DeleteTags: handler(AWS.DeleteTags, deleteTags),
  } satisfies Record<keyof typeof OPERATIONS, OperationHandler>),
  ...withPrefix(BURNISH_TARGET_PREFIX, {
    DescribeOptimizationJobProgress: handler(
      BURNISH_OPERATIONS.DescribeOptimizationJobProgress,
      describeOptimizationJobProgress,
    ),
  } satisfies Record<keyof typeof BURNISH_OPERATIONS, OperationHandler>),
  ...withPrefix(CLOUDWATCH_LOGS_TARGET_PREFIX, {
    DescribeLogGroups: handler(LOGS.DescribeLogGroups, describeLogGroups),
    DescribeLogStreams: handler(LOGS.DescribeLogStreams, describeLogStreams),
    FilterLogEvents: handler(LOGS.FilterLogEvents, filterLogEvents),
    GetLogEvents: handler(LOGS.GetLogEvents, getLogEvents),
  } satisfies Record<keyof typeof CLOUDWATCH_LOGS_OPERATIONS, OperationHandler>),
]);

function withPrefix(
  prefix: string,
  handlers: Readonly<Record<string, OperationHandler>>,
): [string, OperationHandler][] {
  return Object.entries(handlers).map(([name, value]) => [`${prefix}.${name}`, value]);
}
