import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type CloudWatchStandIn, startCloudWatchStandIn } from '../support/cloudwatch-stand-in.js';
import { createCommand } from '../support/create-request.js';
import { startTestService } from '../support/running-service.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));

let standIn: CloudWatchStandIn;

beforeAll(async () => {
  standIn = await startCloudWatchStandIn();
  process.env.AWS_ACCESS_KEY_ID = 'AKIAEXAMPLE';
  process.env.AWS_SECRET_ACCESS_KEY = 'secret';
});

afterAll(() => {
  delete process.env.AWS_ACCESS_KEY_ID;
  delete process.env.AWS_SECRET_ACCESS_KEY;
  standIn.close();
});

it('a service that is told of CloudWatch puts the logs of jobs and its metrics there', async () => {
  // An endpoint that fails at first is asked again.
  standIn.failing = 2;
  const cloudWatch = { logsEndpoint: standIn.url, metricsEndpoint: standIn.url, namespace: 'Ours' };
  const service = await startTestService({ file: { cloudWatch } });
  await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
  const command = createCommand({
    OptimizationJobName: 'job-1',
    OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
    OutputConfig: { S3OutputLocation: 's3://models/out' },
  });
  await service.sagemaker.send(command);
  expect((await service.ended('job-1')).OptimizationJobStatus).toBe('COMPLETED');
  await service.close();
  const messages = standIn.events.get('/aws/sagemaker/OptimizationJobs job-1/1-quantization');
  expect(messages?.map(({ message }) => message)).toEqual(
    expect.arrayContaining([expect.stringContaining('staging s3://models/source'), 'published']),
  );
  const duration = standIn.metrics.find(({ name }) => name === 'JobDuration');
  expect(duration).toMatchObject({
    namespace: 'Ours',
    dimensions: { Status: 'COMPLETED' },
    count: 1,
  });
});
