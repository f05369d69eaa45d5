import { once } from 'node:events';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DescribeOptimizationJobCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createCommand } from '../support/create-request.js';
import { holdStep } from '../support/hold-step.js';
import {
  readAccessKey,
  type ServiceProcess,
  startServiceProcess,
} from '../support/service-process.js';
import { signedFetch } from '../support/signed-fetch.js';
import { temporaryFolder } from '../support/temporary-folder.js';

// Whole jobs, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000 });

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
/** Long enough for the service to be told to end meanwhile. */
const LONG = { OPTION_QUANTIZE: 'rtn', OPTION_EVAL_TOKENS: '4096' };

let dataDir: string;
let service: ServiceProcess;

beforeEach(async () => {
  dataDir = temporaryFolder('shutdown');
  await cp(MODEL, join(dataDir, 'buckets', 'models', 'source'), { recursive: true });
});

afterEach(async () => {
  service.process.kill('SIGKILL');
});

async function start(runningJobs: string) {
  const configuration = join(dataDir, 'burnish.yaml');
  await writeFile(configuration, `shutdown: { runningJobs: ${runningJobs} }\n`);
  service = await startServiceProcess(dataDir, ['--port', '0', '--config', configuration]);
  const credentials = await readAccessKey(dataDir);
  const client = { endpoint: service.url, region: 'us-east-1', credentials, maxAttempts: 1 };
  return { credentials, sagemaker: new SageMakerClient(client) };
}

function create(sagemaker: SageMakerClient, name: string) {
  const command = createCommand({
    OptimizationJobName: name,
    OptimizationEnvironment: LONG,
    OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
  });
  return sagemaker.send(command);
}

async function until(sagemaker: SageMakerClient, wanted: string): Promise<void> {
  const describeJob = new DescribeOptimizationJobCommand({ OptimizationJobName: 'job' });
  while ((await sagemaker.send(describeJob)).OptimizationJobStatus !== wanted) await delay(20);
}

it('lets running jobs finish where it is told to, and answers meanwhile, but takes no more', async () => {
  const { sagemaker } = await start('finish');
  await create(sagemaker, 'job');
  const goOn = await holdStep(dataDir, 'job');
  const exit = once(service.process, 'exit');
  service.process.kill('SIGTERM');
  let ready: Response;
  do ready = await fetch(`${service.url}/readyz`);
  while (ready.status === 200);
  expect(ready.status).toBe(503);
  expect(await ready.text()).toBe('going down\n');
  await expect(create(sagemaker, 'late')).rejects.toMatchObject({
    name: 'ServiceUnavailable',
    $metadata: { httpStatusCode: 503 },
  });
  goOn();
  expect(await exit).toEqual([0, null]);

  const again = await start('finish');
  const job = await again.sagemaker.send(
    new DescribeOptimizationJobCommand({ OptimizationJobName: 'job' }),
  );
  expect(job.OptimizationJobStatus).toBe('COMPLETED');
  // The last that the step said of itself is there still.
  const answer = await signedFetch(
    { url: service.url, credentials: again.credentials },
    {
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': 'Burnish.DescribeOptimizationJobProgress',
      },
      body: JSON.stringify({ OptimizationJobName: 'job' }),
    },
  );
  expect(await answer.json()).toMatchObject({
    OptimizationJobStatus: 'COMPLETED',
    Step: 1,
    Phase: expect.any(String),
    UpdatedTime: expect.any(Number),
  });
});

it('stops running jobs where it is told to, and goes on with them at the next start', async () => {
  const { sagemaker } = await start('stop');
  await create(sagemaker, 'job');
  await until(sagemaker, 'INPROGRESS');
  const exit = once(service.process, 'exit');
  service.process.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  const again = await start('stop');
  await until(again.sagemaker, 'COMPLETED');
});
