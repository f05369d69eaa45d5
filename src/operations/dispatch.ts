import type { Permission } from '../identity/authorizer.js';
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
import {
  BURNISH_PERMISSIONS,
  LOGS_PERMISSIONS,
  type PermissionContext,
  type PermissionRule,
  SAGEMAKER_PERMISSIONS,
} from './permissions.js';
import { stopOptimizationJob } from './stop-optimization-job.js';

/** An operation with its shapes, ready to be called with a value of its input shape. */
export interface OperationHandler {
  readonly input: StructureShape;
  readonly output: StructureShape | undefined;
  /** What the caller's policies must allow, for a value of the input shape. */
  permissions(context: PermissionContext, input: unknown): readonly Permission[];
  handle(context: OperationContext, input: unknown): Promise<unknown>;
}

function handler<Input extends StructureShape, Output extends StructureShape | undefined>(
  definition: { readonly input: Input; readonly output: Output },
  handle: (
    context: OperationContext,
    input: Infer<Input>,
  ) => Promise<Output extends StructureShape ? Infer<Output> : undefined>,
  permissions: PermissionRule<Infer<Input>>,
): OperationHandler {
  return {
    ...definition,
    handle: (context, input) => handle(context, input as Infer<Input>),
    permissions: (context, input) => permissions(context, input as Infer<Input>),
  };
}

const AWS = OPERATIONS;
const LOGS = CLOUDWATCH_LOGS_OPERATIONS;

/** Every operation by its `X-Amz-Target`. */
export const OPERATION_HANDLERS: ReadonlyMap<string, OperationHandler> = new Map([
  ...withPrefix(SERVICE.targetPrefix, {
    CreateOptimizationJob: handler(
      AWS.CreateOptimizationJob,
      createOptimizationJob,
      SAGEMAKER_PERMISSIONS.CreateOptimizationJob,
    ),
    DescribeOptimizationJob: handler(
      AWS.DescribeOptimizationJob,
      describeOptimizationJob,
      SAGEMAKER_PERMISSIONS.DescribeOptimizationJob,
    ),
    ListOptimizationJobs: handler(
      AWS.ListOptimizationJobs,
      listOptimizationJobs,
      SAGEMAKER_PERMISSIONS.ListOptimizationJobs,
    ),
    StopOptimizationJob: handler(
      AWS.StopOptimizationJob,
      stopOptimizationJob,
      SAGEMAKER_PERMISSIONS.StopOptimizationJob,
    ),
    DeleteOptimizationJob: handler(
      AWS.DeleteOptimizationJob,
      deleteOptimizationJob,
      SAGEMAKER_PERMISSIONS.DeleteOptimizationJob,
    ),
    AddTags: handler(AWS.AddTags, addTags, SAGEMAKER_PERMISSIONS.AddTags),
    ListTags: handler(AWS.ListTags, listTags, SAGEMAKER_PERMISSIONS.ListTags),
    DeleteTags: handler(AWS.DeleteTags, deleteTags, SAGEMAKER_PERMISSIONS.DeleteTags),
  } satisfies Record<keyof typeof OPERATIONS, OperationHandler>),
  ...withPrefix(BURNISH_TARGET_PREFIX, {
    DescribeOptimizationJobProgress: handler(
      BURNISH_OPERATIONS.DescribeOptimizationJobProgress,
      describeOptimizationJobProgress,
      BURNISH_PERMISSIONS.DescribeOptimizationJobProgress,
    ),
  } satisfies Record<keyof typeof BURNISH_OPERATIONS, OperationHandler>),
  ...withPrefix(CLOUDWATCH_LOGS_TARGET_PREFIX, {
    DescribeLogGroups: handler(
      LOGS.DescribeLogGroups,
      describeLogGroups,
      LOGS_PERMISSIONS.DescribeLogGroups,
    ),
    DescribeLogStreams: handler(
      LOGS.DescribeLogStreams,
      describeLogStreams,
      LOGS_PERMISSIONS.DescribeLogStreams,
    ),
    FilterLogEvents: handler(
      LOGS.FilterLogEvents,
      filterLogEvents,
      LOGS_PERMISSIONS.FilterLogEvents,
    ),
    GetLogEvents: handler(LOGS.GetLogEvents, getLogEvents, LOGS_PERMISSIONS.GetLogEvents),
  } satisfies Record<keyof typeof CLOUDWATCH_LOGS_OPERATIONS, OperationHandler>),
]);

function withPrefix(
  prefix: string,
  handlers: Readonly<Record<string, OperationHandler>>,
): [string, OperationHandler][] {
  return Object.entries(handlers).map(([name, value]) => [`${prefix}.${name}`, value]);
}
