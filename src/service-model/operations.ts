/** The operations of the API: what goes in, what comes out, and what can go wrong. */
import {
  EntityName,
  NextToken,
  ResourceArn,
  RoleArn,
  TagKeyList,
  TagList,
  Timestamp,
} from './common-shapes.js';
import {
  DeploymentInstanceTypeShape,
  EnvironmentVariables,
  FailureReason,
  MaxInstanceCount,
  ModelSource,
  OptimizationConfigs,
  OptimizationJobArn,
  OptimizationJobStatus,
  OptimizationJobSummary,
  OptimizationOutput,
  OutputConfig,
  StoppingCondition,
  TrainingPlanArns,
  VpcConfig,
} from './optimization-job-shapes.js';
import {
  enumeration,
  type Infer,
  integer,
  list,
  optional,
  required,
  type StructureShape,
  string,
  structure,
} from './shape.js';

export interface Operation<
  Input extends StructureShape = StructureShape,
  Output extends StructureShape | undefined = StructureShape | undefined,
> {
  readonly input: Input;
  /** Undefined where the API answers with an empty body. */
  readonly output: Output;
  /** Modelled exceptions; every operation can also answer with the common ones of `errors.ts`. */
  readonly errors: readonly ('ResourceInUse' | 'ResourceLimitExceeded' | 'ResourceNotFound')[];
  /** Set where the operation answers in pages. */
  readonly pagination?: {
    readonly inputToken: string;
    readonly outputToken: string;
    readonly limitKey: string;
    readonly resultKey: string;
  };
  readonly documentation: string;
}

const operation = <
  Input extends StructureShape,
  Output extends StructureShape | undefined = undefined,
>(
  definition: Operation<Input, Output>,
): Operation<Input, Output> => definition;

/** The part of the API that AWS defines once for the service. */
export const SERVICE = {
  apiVersion: '2017-07-24',
  targetPrefix: 'SageMaker',
  signingName: 'sagemaker',
  endpointPrefix: 'api.sagemaker',
  jsonVersion: '1.1',
} as const;

const NameContains = string({ maxLength: 63, pattern: '[a-zA-Z0-9\\-]+' });
const MaxResults = integer({ min: 1, max: 100 });

const jobName = (what: string) =>
  structure(what, {
    OptimizationJobName: required(EntityName, 'The name of the job.'),
  });

export const OPERATIONS = {
  CreateOptimizationJob: operation({
    documentation:
      'Creates a job that optimizes a model for inference: it reads the model source, applies the optimization configs in order, and publishes the result at the output location.',
    input: structure('CreateOptimizationJobRequest', {
      OptimizationJobName: required(
        EntityName,
        'A name for the job, unique in the account and region.',
      ),
      RoleArn: required(
        RoleArn,
        'The role that the job runs as: it reads the source and writes the result.',
      ),
      ModelSource: required(ModelSource, 'The model to optimize.'),
      DeploymentInstanceType: required(
        DeploymentInstanceTypeShape,
        'The instance type that will serve the model.',
      ),
      MaxInstanceCount: optional(MaxInstanceCount, 'The most machines that the job may use.'),
      OptimizationEnvironment: optional(
        EnvironmentVariables,
        'Settings for every step of the job, for example OPTION_QUANTIZE.',
      ),
      OptimizationConfigs: required(
        OptimizationConfigs,
        'The techniques to apply, in order; each works on the result of the one before.',
      ),
      OutputConfig: required(OutputConfig, 'Where the result goes.'),
      StoppingCondition: required(StoppingCondition, 'How long the job may take.'),
      Tags: optional(TagList, 'Tags for the job.'),
      VpcConfig: optional(VpcConfig, 'The network that the job may use.'),
      TrainingPlanArns: optional(TrainingPlanArns, 'A training plan whose capacity the job uses.'),
    }),
    output: structure('CreateOptimizationJobResponse', {
      OptimizationJobArn: required(OptimizationJobArn, 'The ARN of the job.'),
    }),
    errors: ['ResourceInUse', 'ResourceLimitExceeded'],
  }),

  DescribeOptimizationJob: operation({
    documentation: 'Tells everything about one optimization job: its request, state and times.',
    input: jobName('DescribeOptimizationJobRequest'),
    output: structure('DescribeOptimizationJobResponse', {
      OptimizationJobArn: required(OptimizationJobArn, 'The ARN of the job.'),
      OptimizationJobStatus: required(OptimizationJobStatus, 'The state of the job.'),
      OptimizationStartTime: optional(Timestamp, 'When the job began to run.'),
      OptimizationEndTime: optional(Timestamp, 'When the job ended.'),
      CreationTime: required(Timestamp, 'When the job was accepted.'),
      LastModifiedTime: required(Timestamp, 'When the record of the job last changed.'),
      FailureReason: optional(FailureReason, 'Why the job failed, and what to do about it.'),
      OptimizationJobName: required(EntityName, 'The name of the job.'),
      ModelSource: required(ModelSource, 'The model that is optimized.'),
      OptimizationEnvironment: optional(EnvironmentVariables, 'Settings for every step.'),
      DeploymentInstanceType: required(
        DeploymentInstanceTypeShape,
        'The instance type that will serve the model.',
      ),
      MaxInstanceCount: optional(MaxInstanceCount, 'The most machines that the job may use.'),
      OptimizationConfigs: required(OptimizationConfigs, 'The techniques, in order.'),
      OutputConfig: required(OutputConfig, 'Where the result goes.'),
      OptimizationOutput: optional(OptimizationOutput, 'What the job made.'),
      RoleArn: required(RoleArn, 'The role that the job runs as.'),
      StoppingCondition: required(StoppingCondition, 'How long the job may take.'),
      VpcConfig: optional(VpcConfig, 'The network that the job may use.'),
      TrainingPlanArns: optional(TrainingPlanArns, 'A training plan whose capacity the job uses.'),
    }),
    errors: ['ResourceNotFound'],
  }),

  ListOptimizationJobs: operation({
    documentation: 'Lists optimization jobs, filtered, sorted and in pages.',
    input: structure('ListOptimizationJobsRequest', {
      NextToken: optional(NextToken, 'Where the page before this one ended.'),
      MaxResults: optional(MaxResults, 'The most jobs in one page; 50 if not given.'),
      CreationTimeAfter: optional(Timestamp, 'Only jobs created after this time.'),
      CreationTimeBefore: optional(Timestamp, 'Only jobs created before this time.'),
      LastModifiedTimeAfter: optional(Timestamp, 'Only jobs changed after this time.'),
      LastModifiedTimeBefore: optional(Timestamp, 'Only jobs changed before this time.'),
      OptimizationContains: optional(
        NameContains,
        'Only jobs that apply a technique whose name contains this, for example Quantization.',
      ),
      NameContains: optional(NameContains, 'Only jobs whose name contains this.'),
      StatusEquals: optional(OptimizationJobStatus, 'Only jobs in this state.'),
      SortBy: optional(
        enumeration(['Name', 'CreationTime', 'Status']),
        'What to sort by; CreationTime if not given.',
      ),
      SortOrder: optional(
        enumeration(['Ascending', 'Descending']),
        'Which way to sort; Ascending if not given.',
      ),
    }),
    output: structure('ListOptimizationJobsResponse', {
      OptimizationJobSummaries: required(list(OptimizationJobSummary), 'The jobs of this page.'),
      NextToken: optional(NextToken, 'Give it back to get the next page; absent on the last.'),
    }),
    errors: [],
    pagination: {
      inputToken: 'NextToken',
      outputToken: 'NextToken',
      limitKey: 'MaxResults',
      resultKey: 'OptimizationJobSummaries',
    },
  }),

  StopOptimizationJob: operation({
    documentation:
      'Asks a running or queued job to end. Its program has 120 seconds to save what it has before it is killed.',
    input: jobName('StopOptimizationJobRequest'),
    output: undefined,
    errors: ['ResourceNotFound'],
  }),

  DeleteOptimizationJob: operation({
    documentation: 'Deletes the record of a job that has ended. Its artifacts stay.',
    input: jobName('DeleteOptimizationJobRequest'),
    output: undefined,
    errors: ['ResourceNotFound'],
  }),

  AddTags: operation({
    documentation: 'Adds tags to a resource, or replaces the values of tags that it has.',
    input: structure('AddTagsInput', {
      ResourceArn: required(ResourceArn, 'The ARN of the resource.'),
      Tags: required(TagList, 'The tags.'),
    }),
    output: structure('AddTagsOutput', {
      Tags: optional(TagList, 'The tags that the resource has now.'),
    }),
    errors: [],
  }),

  ListTags: operation({
    documentation: 'Lists the tags of a resource.',
    input: structure('ListTagsInput', {
      ResourceArn: required(ResourceArn, 'The ARN of the resource.'),
      NextToken: optional(NextToken, 'Where the page before this one ended.'),
      MaxResults: optional(integer({ min: 50 }), 'The most tags in one page.'),
    }),
    output: structure('ListTagsOutput', {
      Tags: optional(TagList, 'The tags of this page.'),
      NextToken: optional(NextToken, 'Give it back to get the next page; absent on the last.'),
    }),
    errors: [],
    pagination: {
      inputToken: 'NextToken',
      outputToken: 'NextToken',
      limitKey: 'MaxResults',
      resultKey: 'Tags',
    },
  }),

  DeleteTags: operation({
    documentation: 'Removes tags from a resource.',
    input: structure('DeleteTagsInput', {
      ResourceArn: required(ResourceArn, 'The ARN of the resource.'),
      TagKeys: required(TagKeyList, 'The keys of the tags to remove.'),
    }),
    output: structure('DeleteTagsOutput', {}),
    errors: [],
  }),
} as const;

export type OperationName = keyof typeof OPERATIONS;

export type OperationInput<Name extends OperationName> = Infer<(typeof OPERATIONS)[Name]['input']>;

export type OperationOutput<Name extends OperationName> =
  (typeof OPERATIONS)[Name]['output'] extends StructureShape
    ? Infer<(typeof OPERATIONS)[Name]['output']>
    : undefined;
