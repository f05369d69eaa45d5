/** The whole input from JSON or YAML, and skeletons. */
import { type Case, create, describeJob, list } from '../case.js';

const INPUT = {
  OptimizationJobName: 'from-json',
  RoleArn: 'arn:aws:iam::123456789012:role/optimizer',
  ModelSource: { S3: { S3Uri: 's3://models/llama' } },
  DeploymentInstanceType: 'ml.g5.xlarge',
  OptimizationConfigs: [{ ModelQuantizationConfig: { OverrideEnvironment: { A: '1' } } }],
  OutputConfig: { S3OutputLocation: 's3://models/out' },
  StoppingCondition: { MaxRuntimeInSeconds: 60 },
};

const json = (value: unknown, ...more: readonly string[]): Case => ({
  args: ['create-optimization-job', '--cli-input-json', JSON.stringify(value), ...more],
});

const FROM_JSON: readonly Case[] = [
  json(INPUT),
  json(INPUT, '--optimization-job-name', 'from-option'),
  json(INPUT, '--tags', 'Key=a,Value=b', '--model-source', 'SageMakerModel={ModelName=m}'),
  json({ ...INPUT, Surprise: 1 }),
  json({ ...INPUT, MaxInstanceCount: null }),
  json({ ...INPUT, Tags: [{ Key: 'a', Value: 'b' }] }),
  json({}),
  json({ ...INPUT, OptimizationConfigs: {} }),
  create('--cli-input-json', '{"MaxInstanceCount": 2, "OptimizationJobName": "ignored"}'),
  create('--cli-input-json', '[]'),
  create('--cli-input-json', '"text"'),
  create('--cli-input-json', '1.5'),
  create('--cli-input-json', 'null'),
  { ...create('--cli-input-json', '{"a"'), names: ['cli-input-json', 'Invalid JSON received'] },
  { ...create('--cli-input-json', ''), names: ['cli-input-json', 'Invalid JSON received'] },
  {
    ...create('--cli-input-json', 'file://missing'),
    names: ['--cli-input-json', 'file://missing'],
  },
  create('--cli-input-json'),
  { args: ['create-optimization-job', '--cli-input-json', 'file://input.json'] },
  { args: ['create-optimization-job', '--cli-input-json', 'fileb://input.json'] },
  { args: ['create-optimization-job', '--cli-input-json={}'] },
  describeJob('--cli-input-json', '{"OptimizationJobName": "n"}'),
  list('--cli-input-json', '{"NameContains": "a", "CreationTimeAfter": 1700000000}'),
  list('--cli-input-json', '{"CreationTimeAfter": 1700000000.75}'),
  list('--cli-input-json', '{"CreationTimeAfter": "2024-01-01"}'),
  list('--cli-input-json', '{"CreationTimeAfter": true}'),
  list('--cli-input-json', '{"MaxResults": 5}'),
  list('--cli-input-json', '{"MaxResults": 5}', '--max-items', '1'),
  list('--cli-input-json', '{"NextToken": "t"}'),
];

const FROM_YAML: readonly Case[] = [
  { args: ['create-optimization-job', '--cli-input-yaml', 'file://input.yaml'] },
  {
    args: [
      'create-optimization-job',
      '--cli-input-yaml',
      'fileb://input.yaml',
      '--max-instance-count',
      '2',
    ],
  },
  describeJob('--cli-input-yaml', 'OptimizationJobName: n'),
  describeJob('--cli-input-yaml', '{OptimizationJobName: "n"}'),
  describeJob('--cli-input-yaml', 'OptimizationJobName: yes'),
  describeJob('--cli-input-yaml', 'OptimizationJobName: true'),
  describeJob('--cli-input-yaml', 'OptimizationJobName: 1.50'),
  describeJob('--cli-input-yaml', 'OptimizationJobName: 15'),
  describeJob('--cli-input-yaml', 'OptimizationJobName:'),
  describeJob('--cli-input-yaml', 'OptimizationJobName: &n n\n'),
  describeJob('--cli-input-yaml', 'OptimizationJobName: |-\n  n\n'),
  describeJob('--cli-input-yaml', '- n'),
  describeJob('--cli-input-yaml', 'text'),
  describeJob('--cli-input-yaml', ''),
  {
    ...describeJob('--cli-input-yaml', 'a: [1'),
    names: ['cli-input-yaml', 'Invalid YAML received'],
  },
  {
    ...describeJob('--cli-input-yaml', 'a: 1\na: 2'),
    names: ['cli-input-yaml', 'Invalid YAML received'],
  },
  describeJob('--cli-input-yaml', 'a: 1', '--cli-input-json', '{}'),
];

const OPERATIONS = [
  'create-optimization-job',
  'describe-optimization-job',
  'list-optimization-jobs',
  'stop-optimization-job',
  'delete-optimization-job',
  'add-tags',
  'list-tags',
  'delete-tags',
];

const ARN = 'arn:aws:sagemaker:us-east-1:123456789012:optimization-job/j';

/**
 * The AWS CLI checks its own sample output too, and then refuses to print it for describe and list:
 * the sample breaks the bounds of the API. These two are documented to print, and ours do.
 */
const SKELETONS: readonly Case[] = [
  ...OPERATIONS.map((operation) => ({ args: [operation, '--generate-cli-skeleton'] })),
  ...OPERATIONS.map((operation) => ({
    args: [operation, '--generate-cli-skeleton', 'yaml-input'],
    output: 'yaml' as const,
  })),
  list('--generate-cli-skeleton', 'input', '--name-contains', 'a'),
  list('--name-contains', 'a', '--generate-cli-skeleton'),
  list('--generate-cli-skeleton=input'),
  {
    ...list('--generate-cli-skeleton', 'outptu'),
    names: ['argument --generate-cli-skeleton: Invalid choice', '* output'],
  },
  create('--generate-cli-skeleton', 'output'),
  { ...create('--generate-cli-skeleton', 'output'), before: ['--output', 'yaml'] },
  { ...create('--generate-cli-skeleton', 'output'), before: ['--query', 'OptimizationJobArn'] },
  describeJob('--generate-cli-skeleton', 'output'),
  {
    args: [
      'add-tags',
      '--resource-arn',
      ARN,
      '--tags',
      'Key=a',
      '--generate-cli-skeleton',
      'output',
    ],
  },
  { args: ['list-tags', '--resource-arn', ARN, '--generate-cli-skeleton', 'output'] },
  {
    args: [
      'add-tags',
      '--resource-arn',
      ARN,
      '--tags',
      'Key=a,Value=b',
      '--generate-cli-skeleton',
      'output',
    ],
  },
  {
    args: [
      'delete-tags',
      '--resource-arn',
      ARN,
      '--tag-keys',
      'a',
      '--generate-cli-skeleton',
      'output',
    ],
  },
  {
    args: [
      'stop-optimization-job',
      '--optimization-job-name',
      'n',
      '--generate-cli-skeleton',
      'output',
    ],
  },
];

export const WHOLE_INPUT_CASES: readonly Case[] = [...FROM_JSON, ...FROM_YAML, ...SKELETONS];
