/**
 * What each operation asks of the caller's policies, as data: the actions and resources are AWS's.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsagemakeraiservice.html
 */
import type { Permission } from '../identity/authorizer.js';
import type { BURNISH_OPERATIONS } from '../service-model/burnish-operations.js';
import type { CLOUDWATCH_LOGS_OPERATIONS } from '../service-model/cloudwatch-logs-operations.js';
import type { OPERATIONS } from '../service-model/operations.js';
import type { Infer, StructureShape } from '../service-model/shape.js';
import type { Tag } from '../store/job-tags.js';
import { jobArn } from './job-arn.js';
import type { OperationContext } from './operation-context.js';

/** The service that passed roles are passed to. */
const PASSED_TO = 'sagemaker.amazonaws.com';

export type PermissionContext = Pick<OperationContext, 'accountId' | 'region' | 'store'>;

export type PermissionRule<Input> = (
  context: PermissionContext,
  input: Input,
) => readonly Permission[];

type Rules<Operations extends Readonly<Record<string, { readonly input: StructureShape }>>> = {
  readonly [Name in keyof Operations]: PermissionRule<Infer<Operations[Name]['input']>>;
};

const onJob =
  (action: string) =>
  (context: PermissionContext, input: { readonly OptimizationJobName: string }) => {
    const resource = jobArn(context, input.OptimizationJobName);
    return [{ action, resource, resourceTags: tagsOf(context, resource) }];
  };

const tagsOf = (context: PermissionContext, arn: string) => async () =>
  Object.fromEntries((await context.store.listTags(arn)).map(({ Key, Value }) => [Key, Value]));

function requestTags(tags: readonly Tag[]): Readonly<Record<string, string | string[]>> {
  if (tags.length === 0) return {};
  return {
    ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value])),
    'aws:TagKeys': tags.map(({ Key }) => Key),
  };
}

export const SAGEMAKER_PERMISSIONS: Rules<typeof OPERATIONS> = {
  CreateOptimizationJob(context, { OptimizationJobName, RoleArn, Tags = [] }) {
    const resource = jobArn(context, OptimizationJobName);
    const tagging = {
      action: 'sagemaker:AddTags',
      resource,
      context: { ...requestTags(Tags), 'sagemaker:TaggingAction': 'CreateOptimizationJob' },
    };
    return [
      { action: 'sagemaker:CreateOptimizationJob', resource, context: requestTags(Tags) },
      ...(Tags.length > 0 ? [tagging] : []),
      {
        action: 'iam:PassRole',
        resource: RoleArn,
        context: { 'iam:PassedToService': PASSED_TO, 'iam:AssociatedResourceArn': resource },
      },
    ];
  },
  DescribeOptimizationJob: onJob('sagemaker:DescribeOptimizationJob'),
  ListOptimizationJobs: () => [{ action: 'sagemaker:ListOptimizationJobs', resource: '*' }],
  StopOptimizationJob: onJob('sagemaker:StopOptimizationJob'),
  DeleteOptimizationJob: onJob('sagemaker:DeleteOptimizationJob'),
  AddTags: (context, { ResourceArn, Tags }) => [
    {
      action: 'sagemaker:AddTags',
      resource: ResourceArn,
      context: requestTags(Tags),
      resourceTags: tagsOf(context, ResourceArn),
    },
  ],
  ListTags: (context, { ResourceArn }) => [
    {
      action: 'sagemaker:ListTags',
      resource: ResourceArn,
      resourceTags: tagsOf(context, ResourceArn),
    },
  ],
  DeleteTags: (context, { ResourceArn, TagKeys }) => [
    {
      action: 'sagemaker:DeleteTags',
      resource: ResourceArn,
      context: { 'aws:TagKeys': TagKeys },
      resourceTags: tagsOf(context, ResourceArn),
    },
  ],
};

/** An addition of ours shows no more than a description does. */
export const BURNISH_PERMISSIONS: Rules<typeof BURNISH_OPERATIONS> = {
  DescribeOptimizationJobProgress: onJob('sagemaker:DescribeOptimizationJob'),
};

/** What CloudWatch Logs calls a log group, or a stream of it, when it asks. */
const logResource = (
  { accountId, region }: PermissionContext,
  group: string | undefined,
  stream = '',
) => `arn:aws:logs:${region}:${accountId}:log-group:${group ?? ''}:log-stream:${stream}`;

export const LOGS_PERMISSIONS: Rules<typeof CLOUDWATCH_LOGS_OPERATIONS> = {
  DescribeLogGroups: (context) => [
    { action: 'logs:DescribeLogGroups', resource: logResource(context, '') },
  ],
  DescribeLogStreams: (context, { logGroupName }) => [
    { action: 'logs:DescribeLogStreams', resource: logResource(context, logGroupName) },
  ],
  FilterLogEvents: (context, { logGroupName }) => [
    { action: 'logs:FilterLogEvents', resource: logResource(context, logGroupName) },
  ],
  GetLogEvents: (context, { logGroupName, logStreamName }) => [
    {
      action: 'logs:GetLogEvents',
      resource: logResource(context, logGroupName, logStreamName),
    },
  ],
};
