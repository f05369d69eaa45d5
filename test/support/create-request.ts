import {
  CreateOptimizationJobCommand,
  type CreateOptimizationJobCommandInput,
} from '@aws-sdk/client-sagemaker';
import type { JsonValue } from '#burnish/service-model/read-value.js';

/** A request that CreateOptimizationJob takes, with some members replaced. */
export function createRequest(
  change: Readonly<Record<string, JsonValue>> = {},
): Record<string, JsonValue> {
  return {
    OptimizationJobName: 'job-1',
    RoleArn: 'arn:aws:iam::000000000000:role/burnish-execution',
    ModelSource: { S3: { S3Uri: 's3://models/source' } },
    DeploymentInstanceType: 'ml.g5.xlarge',
    OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn' },
    OptimizationConfigs: [{ ModelQuantizationConfig: {} }],
    OutputConfig: { S3OutputLocation: 's3://models/output' },
    StoppingCondition: {},
    ...change,
  };
}

/** The same, as the AWS SDK's client takes it. */
export function createInput(
  change: Readonly<Record<string, JsonValue>> = {},
): CreateOptimizationJobCommandInput {
  return createRequest(change) as unknown as CreateOptimizationJobCommandInput;
}

/** The same, to be sent by the AWS SDK's client. */
export function createCommand(
  change: Readonly<Record<string, JsonValue>> = {},
): CreateOptimizationJobCommand {
  return new CreateOptimizationJobCommand(createInput(change));
}
