export interface Example {
  readonly title: string;
  readonly command: string;
  readonly output?: string;
}

const ROLE = 'arn:aws:iam::000000000000:role/burnish-execution';
const JOB_ARN = 'arn:aws:sagemaker:us-east-1:000000000000:optimization-job/llama-awq';

/** Examples by command. */
export const EXAMPLES: Readonly<Record<string, readonly Example[]>> = {
  'create-optimization-job': [
    {
      title: 'Quantize a checkpoint to four bits with AWQ, in shorthand:',
      command: `burnish create-optimization-job \\
    --optimization-job-name llama-awq \\
    --role-arn ${ROLE} \\
    --model-source S3={S3Uri=s3://models/llama/} \\
    --deployment-instance-type ml.g5.2xlarge \\
    --optimization-configs 'ModelQuantizationConfig={OverrideEnvironment={OPTION_QUANTIZE=awq}}' \\
    --output-config S3OutputLocation=s3://models/llama-awq/ \\
    --stopping-condition MaxRuntimeInSeconds=3600`,
      output: `{
    "OptimizationJobArn": "${JOB_ARN}"
}`,
    },
    {
      title: 'The same from a file, made from a template, and wait until it is done:',
      command: `burnish create-optimization-job --generate-cli-skeleton yaml-input > job.yaml
burnish create-optimization-job --cli-input-yaml file://job.yaml --wait`,
    },
    {
      title: 'Quantize to FP8 and then shard for two GPUs, one step after the other, as JSON:',
      command: `burnish create-optimization-job ... --optimization-configs '[
    {"ModelQuantizationConfig": {"OverrideEnvironment": {"OPTION_QUANTIZE": "fp8"}}},
    {"ModelShardingConfig": {"OverrideEnvironment": {"OPTION_TENSOR_PARALLEL_DEGREE": "2"}}}]'`,
    },
  ],
  'describe-optimization-job': [
    {
      title: 'See the state of a job, and why it failed if it did:',
      command: `burnish describe-optimization-job --optimization-job-name llama-awq \\
    --query '[OptimizationJobStatus, FailureReason]' --output text`,
      output: 'COMPLETED   None',
    },
  ],
  'list-optimization-jobs': [
    {
      title: 'A table of the jobs that failed, the latest first:',
      command: `burnish list-optimization-jobs --status-equals FAILED --sort-order Descending \\
    --query 'OptimizationJobSummaries[].[OptimizationJobName, CreationTime]' --output table`,
    },
    {
      title: 'The first ten, and then the next ten:',
      command: `burnish list-optimization-jobs --max-items 10
burnish list-optimization-jobs --max-items 10 --starting-token TOKEN`,
    },
  ],
  'stop-optimization-job': [
    {
      title: 'Stop a job; the command prints nothing:',
      command: 'burnish stop-optimization-job --optimization-job-name llama-awq',
    },
  ],
  'delete-optimization-job': [
    {
      title: 'Delete the record of a job that has ended; the command prints nothing:',
      command: 'burnish delete-optimization-job --optimization-job-name llama-awq',
    },
  ],
  'add-tags': [
    {
      title: 'Tag a job:',
      command: `burnish add-tags --resource-arn ${JOB_ARN} \\
    --tags Key=team,Value=search Key=purpose,Value=test`,
    },
  ],
  'list-tags': [
    {
      title: 'The tags of a job:',
      command: `burnish list-tags --resource-arn ${JOB_ARN} --output yaml`,
    },
  ],
  'delete-tags': [
    {
      title: 'Remove two tags:',
      command: `burnish delete-tags --resource-arn ${JOB_ARN} --tag-keys team purpose`,
    },
  ],
  wait: [
    {
      title: 'Wait for a job, and use what it made only if it succeeded:',
      command:
        'burnish wait optimization-job-completed --optimization-job-name llama-awq && ./deploy.sh',
    },
  ],
  logs: [{ title: 'Follow the log of a running job:', command: 'burnish logs llama-awq --follow' }],
  serve: [
    {
      title: 'Run the service on another port, with its data in a folder of your choice:',
      command: 'burnish serve --port 8080 --data-dir ./burnish-data',
    },
  ],
  completion: [
    {
      title: 'Complete burnish commands in this shell, and in every new one:',
      command: `source <(burnish completion bash)
echo 'source <(burnish completion bash)' >> ~/.bashrc`,
    },
  ],
};
