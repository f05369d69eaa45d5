import { join } from 'node:path';

/** Answers of the service as they come over the wire, and queries that make sense of each. */

export interface RecordedResponse {
  /** What follows `aws sagemaker`, or `burnish`. */
  readonly args: readonly string[];
  /** Bodies as text: page after page, the last one again and again. */
  readonly pages: readonly string[];
  readonly queries: readonly string[];
}

/** What the AWS CLI printed. */
export interface RecordedOutput {
  readonly response: string;
  readonly format: (typeof FORMATS)[number];
  readonly query?: string;
  readonly stdout: string;
}

export const RECORD = join(import.meta.dirname, 'recorded-outputs.json');

const ARN = 'arn:aws:sagemaker:us-east-1:123456789012:optimization-job';

const summary = (index: number, more: object = {}) => ({
  CreationTime: 1700000000.5 + index,
  OptimizationJobName: `job-${index}`,
  OptimizationJobArn: `${ARN}/job-${index}`,
  OptimizationJobStatus: ['COMPLETED', 'FAILED', 'INPROGRESS'][index % 3],
  DeploymentInstanceType: 'ml.g5.2xlarge',
  OptimizationTypes: index % 2 === 0 ? ['Quantization'] : ['Quantization', 'Sharding'],
  ...more,
});

const page = (summaries: readonly object[], token?: string) =>
  JSON.stringify({ OptimizationJobSummaries: summaries, ...(token && { NextToken: token }) });

const FULL_JOB = `{
  "OptimizationJobArn": "${ARN}/full", "OptimizationJobStatus": "FAILED",
  "OptimizationJobName": "full", "CreationTime": 1700000000.123, "LastModifiedTime": 1700000000,
  "OptimizationStartTime": 1.7000000015E9, "SomethingNew": {"Hidden": true},
  "FailureReason": "Not enough memory:\\nthe step needs 48 GB — “ml.g5.2xlarge” has 24 GB, so choose a bigger one, or #lower the batch",
  "ModelSource": {"S3": {"S3Uri": "s3://models/llama/", "ModelAccessConfig": {"AcceptEula": true}}},
  "OptimizationEnvironment": {"OPTION_QUANTIZE": "awq", "EMPTY": "", "NUMBER": "128", "FLOAT": "1e3", "YES": "yes", "NULL": "null", "DATE": "2024-01-01", "LEADING": " x", "COLON": "a: b", "DASH": "- x", "QUOTES": "it's \\"it\\"", "TAB": "a\\tb", "WIDE": "日本語 — Ω", "EMOJI": "🚀 launch", "lower": "after"},
  "DeploymentInstanceType": "ml.g5.2xlarge", "MaxInstanceCount": 2,
  "OptimizationConfigs": [
    {"ModelQuantizationConfig": {"Image": "763104351884.dkr.ecr.us-east-1.amazonaws.com/djl-inference:0.31.0-lmi13.0.0-cu124", "OverrideEnvironment": {"OPTION_QUANTIZE": "fp8"}}},
    {"ModelShardingConfig": {"OverrideEnvironment": {}}},
    {"ModelSpeculativeDecodingConfig": {"Technique": "EAGLE", "TrainingDataSource": {"S3Uri": "s3://data/", "S3DataType": "S3Prefix"}}},
    {"ModelTeleportationConfig": {"Far": 1}}
  ],
  "OutputConfig": {"KmsKeyId": "", "S3OutputLocation": "s3://models/out/"}, "OptimizationOutput": {},
  "RoleArn": "arn:aws:iam::123456789012:role/optimizer", "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
  "VpcConfig": {"SecurityGroupIds": ["sg-1", "sg-2"], "Subnets": []}, "TrainingPlanArns": null
}`;

export const RESPONSES: Readonly<Record<string, RecordedResponse>> = {
  'a full job': {
    args: ['describe-optimization-job', '--optimization-job-name', 'full'],
    pages: [FULL_JOB],
    queries: [
      'OptimizationJobStatus',
      'ModelSource',
      'OptimizationConfigs[].ModelQuantizationConfig.Image',
      'OptimizationConfigs',
      '{Name:OptimizationJobName,Env:OptimizationEnvironment}',
      '[OptimizationJobName,VpcConfig.SecurityGroupIds,MaxInstanceCount]',
      '[ModelSource,ModelSource.S3,ModelSource]',
      'keys(OptimizationEnvironment)',
      'Missing',
      'VpcConfig.Subnets',
      'OptimizationOutput',
    ],
  },
  'a small job': {
    args: ['describe-optimization-job', '--optimization-job-name', 'small'],
    pages: [
      JSON.stringify({
        OptimizationJobName: 'small',
        OptimizationJobStatus: 'INPROGRESS',
        CreationTime: 1700000000,
      }),
    ],
    queries: ['CreationTime', '[OptimizationJobName, OptimizationJobStatus]', 'length(@)'],
  },
  'numbers of every kind': {
    args: ['describe-optimization-job', '--optimization-job-name', 'numbers'],
    pages: [
      '{"MaxInstanceCount": 123456789012345678901234567890, "StoppingCondition": {"MaxRuntimeInSeconds": 1.0, "MaxWaitTimeInSeconds": 1e22, "MaxPendingTimeInSeconds": -0.00001}}',
    ],
    queries: [
      'MaxInstanceCount',
      'StoppingCondition.*',
      'avg(StoppingCondition.*)',
      'sum(`[1, 2]`)',
      'avg(`[1, 3]`)',
      'StoppingCondition.MaxRuntimeInSeconds == `1`',
    ],
  },
  'many jobs': {
    args: ['list-optimization-jobs'],
    pages: [
      page([summary(0), summary(1), summary(2, { MaxInstanceCount: 4 })], 'token-1'),
      page([summary(3), summary(4, { OptimizationEndTime: 1700009999.25 })], 'token-2'),
      page([summary(5)]),
    ],
    queries: [
      'OptimizationJobSummaries[].OptimizationJobName',
      'OptimizationJobSummaries[].[OptimizationJobName,OptimizationJobStatus]',
      "OptimizationJobSummaries[?OptimizationJobStatus=='FAILED'].{Name:OptimizationJobName,Types:OptimizationTypes}",
      'OptimizationJobSummaries[?OptimizationJobStatus==`FAILED`] | [0]',
      "OptimizationJobSummaries[?CreationTime>='2023-11-14T22:13:23'].OptimizationJobName",
      'OptimizationJobSummaries[?MaxInstanceCount<`5`].OptimizationJobName',
      'length(OptimizationJobSummaries)',
      'sort_by(OptimizationJobSummaries,&OptimizationJobStatus)[*].OptimizationJobName',
    ],
  },
  'two of many jobs': {
    args: ['list-optimization-jobs', '--max-items', '2'],
    pages: [page([summary(0), summary(1), summary(2)], 'token-1')],
    queries: ['NextToken', 'OptimizationJobSummaries[].OptimizationJobArn'],
  },
  'one page of many jobs': {
    args: ['list-optimization-jobs', '--no-paginate'],
    pages: [page([summary(0), summary(1)], 'token-1')],
    queries: ['NextToken', '@.OptimizationJobSummaries[-1]'],
  },
  'no jobs': {
    args: ['list-optimization-jobs'],
    pages: [page([])],
    queries: ['OptimizationJobSummaries', 'OptimizationJobSummaries[0]'],
  },
  tags: {
    args: ['list-tags', '--resource-arn', `${ARN}/full`],
    pages: [
      JSON.stringify({
        Tags: [
          { Key: 'team', Value: 'search' },
          { Key: 'kosten', Value: '' },
          { Key: 'プロジェクト', Value: 'モデル圧縮' },
        ],
      }),
    ],
    queries: ['Tags[].Key', "Tags[?Key=='team'].Value | [0]", 'Tags[*].[Key,Value]', 'Tags[0]'],
  },
  'no tags at all': {
    args: ['list-tags', '--resource-arn', `${ARN}/full`],
    pages: ['{}'],
    queries: ['Tags'],
  },
  'an operation without output': {
    args: ['stop-optimization-job', '--optimization-job-name', 'full'],
    pages: [''],
    queries: ['@'],
  },
};

export const FORMATS = ['json', 'text', 'table', 'yaml', 'yaml-stream'] as const;
