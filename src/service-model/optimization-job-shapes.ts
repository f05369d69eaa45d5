/** The parts of an optimization job. Source: SageMaker AI API reference, version 2017-07-24. */
import { EntityName, KmsKeyId, S3Uri, Timestamp } from './common-shapes.js';
import { DEPLOYMENT_INSTANCE_TYPES } from './instance-types.js';
import {
  boolean,
  enumeration,
  integer,
  list,
  map,
  optional,
  required,
  string,
  structure,
  union,
} from './shape.js';

export const OptimizationJobArn = string({
  maxLength: 256,
  pattern: 'arn:aws[a-z\\-]*:sagemaker:[a-z0-9\\-]*:[0-9]{12}:optimization-job/.*',
});

export const OptimizationJobStatus = enumeration([
  'INPROGRESS',
  'COMPLETED',
  'FAILED',
  'STARTING',
  'STOPPING',
  'STOPPED',
]);

export const FailureReason = string({ maxLength: 1024 });

export const DeploymentInstanceTypeShape = enumeration(DEPLOYMENT_INSTANCE_TYPES);

export const MaxInstanceCount = integer({ min: 1 });

export const EnvironmentVariables = map(
  string({ maxLength: 256, pattern: '(?!\\s*$).+' }),
  string({ maxLength: 256 }),
  { minLength: 0, maxLength: 25 },
);

const SageMakerModel = structure('OptimizationSageMakerModel', {
  ModelName: optional(
    string({ maxLength: 63, pattern: '[a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?' }),
    'The name of a SageMaker model.',
  ),
});

const ModelAccessConfig = structure('OptimizationModelAccessConfig', {
  AcceptEula: required(
    boolean,
    'Whether you accept the end-user license agreement that the model carries. A model that carries one is optimized only when this is true.',
  ),
});

export const ModelSource = structure('OptimizationJobModelSource', {
  S3: optional(
    structure('OptimizationJobModelSourceS3', {
      S3Uri: optional(
        S3Uri,
        'Where the model is: a prefix that holds a Hugging Face checkpoint, or one .tar.gz object.',
      ),
      ModelAccessConfig: optional(ModelAccessConfig, 'Your answer to the model’s license terms.'),
    }),
    'A model in S3.',
  ),
  SageMakerModel: optional(SageMakerModel, 'A model that was created in SageMaker.'),
});

const ContainerImage = string({ maxLength: 255, pattern: '[\\S]+' });

const imageMembers = (technique: string) => ({
  Image: optional(
    ContainerImage,
    `The URI of a Large Model Inference container image that performs the ${technique}. Without it, the built-in optimizer does.`,
  ),
  OverrideEnvironment: optional(
    EnvironmentVariables,
    'Settings of this step, for example OPTION_QUANTIZE. They win over OptimizationEnvironment.',
  ),
});

const SpeculativeDecodingTrainingData = structure('ModelSpeculativeDecodingTrainingDataSource', {
  S3Uri: required(S3Uri, 'Where the training data is.'),
  S3DataType: required(
    enumeration(['S3Prefix', 'ManifestFile']),
    'Whether S3Uri is a prefix of data files or a manifest that lists them.',
  ),
});

export const OptimizationConfig = union('OptimizationConfig', {
  ModelQuantizationConfig: optional(
    structure('ModelQuantizationConfig', imageMembers('quantization')),
    'Quantize: store weights, and perhaps activations, in fewer bits.',
  ),
  ModelCompilationConfig: optional(
    structure('ModelCompilationConfig', imageMembers('compilation')),
    'Compile: turn the model into a graph made for the deployment hardware.',
  ),
  ModelShardingConfig: optional(
    structure('ModelShardingConfig', imageMembers('sharding')),
    'Shard: split the weights ahead of time for tensor and pipeline parallelism.',
  ),
  ModelSpeculativeDecodingConfig: optional(
    structure('ModelSpeculativeDecodingConfig', {
      Technique: required(enumeration(['EAGLE']), 'How draft tokens are made.'),
      TrainingDataSource: optional(
        SpeculativeDecodingTrainingData,
        'Text to train the draft model on.',
      ),
    }),
    'Speculative decoding: train a draft model that proposes tokens.',
  ),
});

export const OptimizationConfigs = list(OptimizationConfig, { minLength: 0, maxLength: 10 });

export const OutputConfig = structure('OptimizationJobOutputConfig', {
  KmsKeyId: optional(KmsKeyId, 'The KMS key that encrypts the artifacts.'),
  S3OutputLocation: required(S3Uri, 'The prefix under which the optimized model is published.'),
  SageMakerModel: optional(SageMakerModel, 'A SageMaker model to create from the result.'),
});

export const StoppingCondition = structure('StoppingCondition', {
  MaxRuntimeInSeconds: optional(
    integer({ min: 1 }),
    'The longest time that the job may run, all steps together. One day if not given; at most 28 days.',
  ),
  MaxWaitTimeInSeconds: optional(
    integer({ min: 1 }),
    'The longest time that the job may wait and run together; not below MaxRuntimeInSeconds.',
  ),
  MaxPendingTimeInSeconds: optional(
    integer({ min: 7200, max: 2419200 }),
    'The longest time that the job may be queued before it starts.',
  ),
});

const VpcId = string({ maxLength: 32, pattern: '[-0-9a-zA-Z]+' });

export const VpcConfig = structure('OptimizationVpcConfig', {
  SecurityGroupIds: required(
    list(VpcId, { minLength: 1, maxLength: 5 }),
    'The security groups of the network that the job may use.',
  ),
  Subnets: required(
    list(VpcId, { minLength: 1, maxLength: 16 }),
    'The subnets of the network that the job may use.',
  ),
});

export const TrainingPlanArns = list(
  string({
    minLength: 50,
    maxLength: 2048,
    pattern: 'arn:aws[a-z\\-]*:sagemaker:[a-z0-9\\-]*:[0-9]{12}:training-plan/.*',
  }),
  { minLength: 0, maxLength: 1 },
);

export const OptimizationOutput = structure('OptimizationOutput', {
  RecommendedInferenceImage: optional(
    ContainerImage,
    'The container image recommended for serving the result.',
  ),
});

export const OptimizationJobSummary = structure('OptimizationJobSummary', {
  OptimizationJobName: required(EntityName, 'The name of the job.'),
  OptimizationJobArn: required(OptimizationJobArn, 'The ARN of the job.'),
  CreationTime: required(Timestamp, 'When the job was accepted.'),
  OptimizationJobStatus: required(OptimizationJobStatus, 'The state of the job.'),
  OptimizationStartTime: optional(Timestamp, 'When the job began to run.'),
  OptimizationEndTime: optional(Timestamp, 'When the job ended.'),
  LastModifiedTime: optional(Timestamp, 'When the record of the job last changed.'),
  DeploymentInstanceType: required(
    DeploymentInstanceTypeShape,
    'The instance type that the result is made for.',
  ),
  MaxInstanceCount: optional(MaxInstanceCount, 'The most machines that the job may use.'),
  OptimizationTypes: required(list(string()), 'The techniques that the job applies.'),
});
