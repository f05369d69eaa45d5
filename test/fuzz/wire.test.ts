import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRequest } from '../support/create-request.js';
import { type RunningService, startTestService } from '../support/running-service.js';
import { type Draw, fuzz } from './fuzz.js';
import { PlainClient } from './http.js';
import { type Json, mutateBytes, mutateJson, mutateText, oddValue } from './mutate.js';

const JOB_ARN = 'arn:aws:sagemaker:us-east-1:000000000000:optimization-job/job-1';
const GROUP = '/aws/sagemaker/OptimizationJobs';

/** Every operation, with inputs that are right. */
const INPUTS: readonly [string, Json][] = [
  ['SageMaker.CreateOptimizationJob', createRequest() as Json],
  [
    'SageMaker.CreateOptimizationJob',
    createRequest({
      OptimizationConfigs: [
        {
          ModelQuantizationConfig: {
            Image: 'x:1',
            OverrideEnvironment: { OPTION_QUANTIZE: 'awq', OPTION_GROUP_SIZE: '128' },
          },
        },
        { ModelShardingConfig: { OverrideEnvironment: { OPTION_TENSOR_PARALLEL_DEGREE: '2' } } },
        { ModelCompilationConfig: { Image: 'x:1', OverrideEnvironment: { OPTION_A: 'b' } } },
      ],
      OutputConfig: { S3OutputLocation: 's3://models/out', KmsKeyId: 'alias/a' },
      StoppingCondition: { MaxRuntimeInSeconds: 60, MaxWaitTimeInSeconds: 60 },
      Tags: [{ Key: 'a', Value: 'b' }],
      VpcConfig: { Subnets: ['subnet-1'], SecurityGroupIds: ['sg-1'] },
      MaxInstanceCount: 1,
    }) as Json,
  ],
  ['SageMaker.DescribeOptimizationJob', { OptimizationJobName: 'job-1' }],
  [
    'SageMaker.ListOptimizationJobs',
    {
      NextToken: 'eyJhIjoxfQ==',
      MaxResults: 10,
      CreationTimeAfter: 1_700_000_000,
      NameContains: 'job',
      StatusEquals: 'COMPLETED',
      SortBy: 'Name',
      SortOrder: 'Ascending',
    },
  ],
  ['SageMaker.StopOptimizationJob', { OptimizationJobName: 'job-1' }],
  ['SageMaker.DeleteOptimizationJob', { OptimizationJobName: 'job-1' }],
  ['SageMaker.AddTags', { ResourceArn: JOB_ARN, Tags: [{ Key: 'a', Value: 'b' }] }],
  ['SageMaker.ListTags', { ResourceArn: JOB_ARN, NextToken: 'x', MaxResults: 50 }],
  ['SageMaker.DeleteTags', { ResourceArn: JOB_ARN, TagKeys: ['a'] }],
  ['Burnish.DescribeOptimizationJobProgress', { OptimizationJobName: 'job-1' }],
  ['Logs_20140328.DescribeLogGroups', { logGroupNamePrefix: '/aws', limit: 5, nextToken: 'x' }],
  ['Logs_20140328.DescribeLogStreams', { logGroupName: GROUP, orderBy: 'LogStreamName', limit: 5 }],
  [
    'Logs_20140328.GetLogEvents',
    { logGroupName: GROUP, logStreamName: 'job-1/1', nextToken: 'f/0', startFromHead: true },
  ],
  [
    'Logs_20140328.FilterLogEvents',
    { logGroupName: GROUP, filterPattern: '?a "b c" -d', startTime: 1, limit: 5 },
  ],
];

let service: RunningService;
let client: PlainClient;

beforeAll(async () => {
  service = await startTestService({
    allowUnsigned: true,
    // Inputs that are still right are not to run.
    maxQueuedJobs: 0,
    file: { limits: { requestsPerSecond: 1_000_000, burst: 1_000_000 } },
  });
  client = new PlainClient(service.url);
});
afterAll(async () => {
  client.close();
  await service.close();
});

function drawHeaders(draw: Draw, target: string): Record<string, string> {
  const headers: Record<string, string> = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': draw.chance(0.05) ? mutateText(draw, target) : target,
  };
  if (draw.chance(0.1)) {
    const credential = 'AKIAEXAMPLE/20260101/us-east-1/sagemaker/aws4_request';
    headers.authorization = mutateText(
      draw,
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
    );
    headers['x-amz-date'] = mutateText(draw, '20260101T000000Z');
  }
  if (draw.chance(0.02)) headers['x-amz-security-token'] = mutateText(draw, 'token');
  return headers;
}

function drawBody(draw: Draw, input: Json): Buffer {
  if (draw.chance(0.05)) return Buffer.from(JSON.stringify(oddValue(draw)));
  const text = Buffer.from(JSON.stringify(mutateJson(draw, input)));
  return draw.chance(0.2) ? mutateBytes(draw, text) : text;
}

it('the JSON protocol answers everything, and never with a fault of its own', async () => {
  await fuzz(async (draw) => {
    const [target, input] = draw.of(INPUTS as [[string, Json], ...[string, Json][]]);
    const headers = drawHeaders(draw, target);
    const body = drawBody(draw, input);
    const answer = await client.send('POST', '/', headers, body);
    if (answer === undefined) return;
    const sent = `${JSON.stringify(headers)} ${body.toString('latin1').slice(0, 2_000)}`;
    expect(answer.status, `${sent}\n${answer.body}`).toBeLessThan(500);
    expect([200, 400, 403, 413, 429], sent).toContain(answer.status);
    if (answer.status === 200 && answer.body.length === 0) return;
    const said: unknown = JSON.parse(answer.body.toString());
    if (answer.status !== 200) expect(said, sent).toHaveProperty('__type');
  });
});
