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
