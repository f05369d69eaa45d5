/** A job as DescribeOptimizationJob tells it, in the given state. */
export const describedJob = (state: string, failureReason?: string) => ({
  OptimizationJobName: 'job',
  OptimizationJobArn: 'arn:aws:sagemaker:us-east-1:000000000000:optimization-job/job',
  OptimizationJobStatus: state,
  CreationTime: 1,
  LastModifiedTime: 1,
  ModelSource: {},
  DeploymentInstanceType: 'ml.g5.xlarge',
  OptimizationConfigs: [{ ModelQuantizationConfig: {} }, { ModelShardingConfig: {} }],
  OutputConfig: { S3OutputLocation: 's3://a/b' },
  RoleArn: 'arn:aws:iam::000000000000:role/r',
  StoppingCondition: {},
  ...(failureReason === undefined ? {} : { FailureReason: failureReason }),
});
