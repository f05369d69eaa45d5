import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The files that the cases name, by name. */
const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'name.txt': 'hello',
  'latin1.txt': Uint8Array.of(0xe9),
  'role.txt': 'arn:aws:iam::123456789012:role/from-file',
  'number.txt': '5\n',
  'source.json': '{"S3": {"S3Uri": "s3://models/llama"}}\n',
  'source.txt': 'S3={S3Uri=s3://models/llama}',
  'crlf.txt': 'S3={S3Uri=s3://models/llama,\r\nModelAccessConfig={AcceptEula=true}}\r\n',
  'environment.json': '{"OPTION_QUANTIZE": "awq"}',
  'configs.json': '[{"ModelQuantizationConfig": {"OverrideEnvironment": {"A": "1"}}}]',
  'tags.json': '[{"Key": "a", "Value": "b"}]',
  'tag.txt': 'Key=a,Value=b',
  'plans.json': '["arn:aws:sagemaker:us-east-1:123456789012:training-plan/p1"]',
  'input.json': JSON.stringify({
    OptimizationJobName: 'from-file',
    RoleArn: 'arn:aws:iam::123456789012:role/optimizer',
    ModelSource: { S3: { S3Uri: 's3://models/llama' } },
    DeploymentInstanceType: 'ml.g5.xlarge',
    OptimizationConfigs: [{ ModelQuantizationConfig: {} }],
    OutputConfig: { S3OutputLocation: 's3://models/out' },
    StoppingCondition: { MaxRuntimeInSeconds: 60 },
  }),
  'input.yaml': `
OptimizationJobName: from-yaml  # a comment
RoleArn: arn:aws:iam::123456789012:role/optimizer
ModelSource:
  S3: {S3Uri: "s3://models/llama"}
DeploymentInstanceType: ml.g5.xlarge
OptimizationConfigs:
- ModelQuantizationConfig:
    OverrideEnvironment: {A: '1', B: "2"}
OutputConfig:
  S3OutputLocation: >-
    s3://models/out
StoppingCondition:
  MaxRuntimeInSeconds: 60
`,
};

export function writeFiles(folder: string): void {
  for (const [name, content] of Object.entries(FILES)) writeFileSync(join(folder, name), content);
}
