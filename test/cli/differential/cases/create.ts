/** create-optimization-job: every option in every form that it takes, and in many that it doesn't. */
import { type Case, create, createWithout } from '../case.js';

const PLAN = 'arn:aws:sagemaker:us-east-1:123456789012:training-plan/p1';

const NAMES: readonly Case[] = [
  create(),
  create('--optimization-job-name', 'file://name.txt'),
  create('--optimization-job-name', 'fileb://name.txt'),
  create('--optimization-job-name', '{"a": 1}'),
  create('--optimization-job-name', ''),
  create('--optimization-job-name', 'https://example.com/name'),
  { ...create('--optimization-job-name', 'file://missing.txt'), names: ['file://missing.txt'] },
  { ...create('--optimization-job-name', 'file://latin1.txt'), names: ['latin1.txt', 'fileb://'] },
  create('--role-arn', 'short'),
  create('--role-arn', 'file://role.txt'),
  create('--deployment-instance-type', 'ml.g5.48xlarge'),
  create('--deployment-instance-type', 'ml.toaster.large'),
  createWithout('--optimization-job-name'),
  createWithout('--model-source'),
  { args: ['create-optimization-job'] },
  { args: ['create-optimization-job', '--optimization-job-name', 'n'] },
];

const MODEL_SOURCES: readonly Case[] = [
  '{"S3": {"S3Uri": "s3://models/llama"}}',
  '  {"S3": {"S3Uri": "s3://models/llama", "ModelAccessConfig": {"AcceptEula": true}}}',
  'S3={S3Uri=s3://models/llama,ModelAccessConfig={AcceptEula=true}}',
  'S3={S3Uri=s3://models/llama,ModelAccessConfig={AcceptEula=FALSE}}',
  ' S3 = { S3Uri = s3://models/llama , ModelAccessConfig = { AcceptEula = True } }'.trimStart(),
  'S3={S3Uri=s3://models/llama}\n',
  'S3={S3Uri="s3://models/with space, and comma"}',
  "S3={S3Uri='s3://models/it\\'s'}",
  'S3={S3Uri=s3://models/a\\,b}',
  'S3={S3Uri="s3://models/\\"quoted\\\\"}',
  'SageMakerModel={ModelName=m}',
  'S3={S3Uri=s3://a/b},SageMakerModel={ModelName=m}',
  'S3={}',
  'file://source.json',
  'file://source.txt',
  'file://crlf.txt',
  'S3={S3Uri=s3://a/b,Extra=1}',
  'Extra=1',
  'S3=s3://a/b',
  'S3=[a,b]',
  'S3={S3Uri=[a,b]}',
  'S3={S3Uri={a=b}}',
  'S3={ModelAccessConfig={AcceptEula=yes}}',
  'S3={ModelAccessConfig={}}',
  'S3={S3Uri=s3://a/b',
  'S3={S3Uri=s3://a/b}}',
  'S3={S3Uri=s3://a/b},S3={}',
  'S3={S3Uri=s3://a/b},\nS3={}',
  'S3',
  '',
  ' ',
  'S3={S3Uri="unclosed}',
  "S3='unclosed",
  's3://models/llama',
  'S3={S3Uri=s3://a/é😀}',
  'S3={S3Uri=ü=ö}',
  '{"S3": {"S3Uri": 1}}',
  '{"S3": {"S3Uri": 1.50}}',
  '{"S3": {"S3Uri": null}}',
  '{"S3": {"S3Uri": ["a", true, null, 1.5]}}',
  '{"S3": {"S3Uri": "\\u00e9\\n\'"}}',
  '{"S3": {"S3Uri": "a", "S3Uri": "b"}}',
  '[1]',
  '[{"S3": {}}]',
].map((value) => create('--model-source', value));

const JSON_ERRORS: readonly Case[] = ['{"S3": 1', '{S3: 1}', '{"S3": {}}}', "{'S3': {}}"].map(
  (value) => ({
    ...create('--model-source', value),
    names: [`Error parsing parameter '--model-source': Invalid JSON: `, `JSON received: ${value}`],
  }),
);

/** What ends the AWS CLI with an accident of Python, but the same status. */
const CONVERSIONS: readonly Case[] = [
  { ...create('--model-source', 'fileb://source.json'), names: [] },
  { ...create('--tags', 'fileb://tags.json'), names: [] },
  { ...create('--model-source', 'S3={ModelAccessConfig={AcceptEula=[a]}}'), names: ['list'] },
  { ...create('--model-source', 'S3={ModelAccessConfig={AcceptEula={}}}'), names: [] },
  { ...create('--stopping-condition', 'MaxRuntimeInSeconds=[1]'), names: ['list'] },
  { ...create('--training-plan-arns', 'fileb://name.txt'), names: [] },
  create('--stopping-condition', 'MaxRuntimeInSeconds=abc'),
  create('--stopping-condition', 'MaxRuntimeInSeconds='),
  create('--stopping-condition', 'MaxRuntimeInSeconds=1.5'),
  create('--max-instance-count', 'abc'),
  create('--max-instance-count', ''),
  create('--max-instance-count', '1.0'),
];

const COUNTS: readonly Case[] = [
  '3',
  '0',
  '-1',
  ' 5 ',
  '+5',
  '1_0',
  'file://number.txt',
  'fileb://number.txt',
].map((value) => create('--max-instance-count', value));

const STOPPING_CONDITIONS: readonly Case[] = [
  'MaxRuntimeInSeconds=60,MaxWaitTimeInSeconds=120,MaxPendingTimeInSeconds=7200',
  '{"MaxRuntimeInSeconds": 60}',
  '{"MaxRuntimeInSeconds": "60"}',
  '{"MaxRuntimeInSeconds": 60.0}',
  '{"MaxRuntimeInSeconds": 6e1}',
  '{"MaxRuntimeInSeconds": true}',
  '{"MaxRuntimeInSeconds": false}',
  '{"MaxRuntimeInSeconds": 0}',
  '{"MaxRuntimeInSeconds": -1, "MaxWaitTimeInSeconds": -2}',
  '{}',
].map((value) => create('--stopping-condition', value));

const ENVIRONMENTS: readonly Case[] = [
  'OPTION_QUANTIZE=awq',
  'OPTION_QUANTIZE=awq,OPTION_AWQ_BLOCK_SIZE=128',
  'OPTION_QUANTIZE = awq , OPTION_CALIB_SIZE = 512',
  'A=\'x,y\',B="z"',
  'A=x\\,y',
  'A=,B=',
  'A=true,B=1',
  'a.b-c_d#e/f:g=1',
  'A={B=c}',
  'A=[x,y]',
  'A=x,y',
  'A=x,y,B=z',
  'A=1,A=2',
  'A = 1,\nA = 2',
  '=x',
  'A B=x',
  'A==x',
  'A=x=y',
  '{"A": "1", "B": ""}',
  '{"A": 1}',
  '{"A": "1", "A": "2"}',
  '{}',
  '{"__proto__": "x", "constructor": "y"}',
  '__proto__=x',
  'file://environment.json',
].map((value) => create('--optimization-environment', value));

const CONFIGS: readonly Case[] = [
  ['ModelQuantizationConfig={OverrideEnvironment={OPTION_QUANTIZE=awq}}'],
  ['ModelQuantizationConfig={Image=repo/image:tag,OverrideEnvironment={A=1,B=2}}'],
  [
    'ModelQuantizationConfig={}',
    'ModelShardingConfig={OverrideEnvironment={OPTION_TENSOR_PARALLEL_DEGREE=2}}',
  ],
  ['[{"ModelQuantizationConfig": {}}, {"ModelCompilationConfig": {}}]'],
  ['{"ModelQuantizationConfig": {}}', '{"ModelCompilationConfig": {}}'],
  ['{"ModelQuantizationConfig": {}}', 'ModelCompilationConfig={}'],
  ['file://configs.json'],
  [
    'ModelSpeculativeDecodingConfig={Technique=EAGLE,TrainingDataSource={S3Uri=s3://a/b,S3DataType=S3Prefix}}',
  ],
  ['ModelSpeculativeDecodingConfig={TrainingDataSource={S3Uri=s3://a/b}}'],
  ['ModelQuantizationConfig={},ModelShardingConfig={}'],
  ['[]'],
  ['ModelQuantizationConfig='],
  ['ModelQuantizationConfig={Image=a,Picture=b}'],
  ['Quantization={}'],
  ['ModelQuantizationConfig={OverrideEnvironment={A=[1]}}'],
  ['ModelQuantizationConfig={OverrideEnvironment=[A]}'],
  [' ModelQuantizationConfig={}'],
  [],
].map((values) => create('--optimization-configs', ...values));

const OUTPUTS: readonly Case[] = [
  'S3OutputLocation=s3://models/out,KmsKeyId=alias/key',
  '{"S3OutputLocation": "s3://models/out", "SageMakerModel": {"ModelName": "m"}}',
  'KmsKeyId=alias/key',
  'S3OutputLocation=',
].map((value) => create('--output-config', value));

const TAGS: readonly Case[] = [
  ['Key=team,Value=ml'],
  ['Key=team,Value=ml', 'Key=cost,Value=42'],
  ['Key=team,Value='],
  ['Key=team'],
  ['Key=,Value=x'],
  ['Key=a,Value=b,Key=c,Value=d'],
  ['Key=a,Value=b Key=c,Value=d'],
  ['[{"Key": "a", "Value": "b"}]'],
  ['{"Key": "a", "Value": "b"}', '{"Key": "c", "Value": "d"}'],
  ['file://tags.json'],
  ['file://tag.txt'],
  ['Key=名前,Value=値'],
  ['Key=a,Value=😀'],
  [`Key='a b',Value="c=d"`],
  [],
].map((values) => create('--tags', ...values));

const NETWORKS: readonly Case[] = [
  'SecurityGroupIds=sg-1,Subnets=subnet-1',
  'SecurityGroupIds=sg-1,sg-2,Subnets=subnet-1,subnet-2',
  'SecurityGroupIds=[sg-1,sg-2],Subnets=[subnet-1]',
  'SecurityGroupIds=\'sg-1\',"sg-2",Subnets=subnet-1',
  'SecurityGroupIds=sg-1, sg-2 ,Subnets = subnet-1',
  'SecurityGroupIds=[],Subnets=[subnet-1]',
  'SecurityGroupIds=[sg-1,],Subnets=[subnet-1]',
  'SecurityGroupIds=sg-1,,Subnets=subnet-1',
  'SecurityGroupIds=sg-1,Subnets=',
  'SecurityGroupIds=sg-1',
  'SecurityGroupIds={a=b},Subnets=subnet-1',
  'SecurityGroupIds=[[a]],Subnets=subnet-1',
  'SecurityGroupIds=sg-1,Subnets=subnet-1,',
  '{"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}',
  '{"SecurityGroupIds": "sg-1", "Subnets": ["subnet-1"]}',
].map((value) => create('--vpc-config', value));

const PLANS: readonly Case[] = [
  [PLAN],
  [PLAN, PLAN],
  [`["${PLAN}"]`],
  ['file://plans.json'],
  ['short'],
  [],
].map((values) => create('--training-plan-arns', ...values));

export const CREATE_CASES: readonly Case[] = [
  ...NAMES,
  ...MODEL_SOURCES,
  ...JSON_ERRORS,
  ...CONVERSIONS,
  ...COUNTS,
  ...STOPPING_CONDITIONS,
  ...ENVIRONMENTS,
  ...CONFIGS,
  ...OUTPUTS,
  ...TAGS,
  ...NETWORKS,
  ...PLANS,
];
