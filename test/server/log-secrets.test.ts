import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { DescribeOptimizationJobCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createCommand } from '../support/create-request.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PROGRAM = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
/** What a caller hands over with a job, and what an operator has in the environment. */
const SECRETS = [
  'hf_CallersOwnTokenValue',
  'OperatorsSecretValue0123456789',
  'PasswordOfTheDatabase',
];

let dataDir: string;
let service: ChildProcess;
let url = '';
let log = '';

beforeAll(async () => {
  dataDir = temporaryFolder('log');
  await cp(MODEL, join(dataDir, 'buckets', 'models', 'source'), { recursive: true });
  service = spawn(
    process.execPath,
    [PROGRAM, 'serve', '--port', '0', '--data-dir', dataDir, '--log-level', 'debug'],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        AWS_SECRET_ACCESS_KEY: SECRETS[1],
        PGPASSWORD: SECRETS[2],
      },
    },
  );
  service.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk;
  });
  const [ready] = await once(service.stdout ?? service, 'data');
  url = /https?:\S+/.exec(String(ready))?.[0] ?? '';
});

afterAll(async () => {
  service.kill('SIGKILL');
});

it('a full run leaves no secret in the service’s log, and the request’s ID with all of a job', async () => {
  const text = await readFile(join(dataDir, 'credentials'), 'utf8');
  const value = (name: string) => new RegExp(`${name} = (.+)`).exec(text)?.[1] ?? '';
  const credentials = {
    accessKeyId: value('aws_access_key_id'),
    secretAccessKey: value('aws_secret_access_key'),
  };
  const client = { endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1 };
  const sagemaker = new SageMakerClient(client);
  const s3 = new S3Client({ ...client, forcePathStyle: true });
  const signatures: string[] = [];
  sagemaker.middlewareStack.add(
    (next) => (args) => {
      const { headers } = args.request as { readonly headers: Record<string, string> };
      signatures.push(/Signature=(\w+)/.exec(headers.authorization ?? '')?.[1] ?? '');
      return next(args);
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  const create = (name: string, more: Record<string, string>) =>
    sagemaker.send(
      createCommand({
        OptimizationJobName: name,
        OptimizationEnvironment: { OPTION_EVALUATE: 'false', ...more },
        OutputConfig: { S3OutputLocation: `s3://models/out/${name}` },
      }),
    );
  const created = await create('good', {
    OPTION_QUANTIZE: 'rtn',
    HF_TOKEN: SECRETS[0] ?? '',
  }).catch(() => create('good', { OPTION_QUANTIZE: 'rtn' }));
  await create('bad', { OPTION_QUANTIZE: 'rtn', OPTION_NO_SUCH_SECRET: SECRETS[0] ?? '' }).catch(
    () => undefined,
  );
  await s3.send(new GetObjectCommand({ Bucket: 'models', Key: 'nowhere' })).catch(() => undefined);
  await fetch(`${url}/models/source/config.json?X-Amz-Signature=${'ab'.repeat(32)}`);
  const wrong = { ...client, credentials: { ...credentials, secretAccessKey: 'not the secret' } };
  const stranger = new SageMakerClient(wrong);
  const describe = new DescribeOptimizationJobCommand({ OptimizationJobName: 'good' });
  await expect(stranger.send(describe)).rejects.toThrow();
  for (;;) {
    const { OptimizationJobStatus } = await sagemaker.send(describe);
    if (OptimizationJobStatus === 'COMPLETED') break;
    await delay(50);
  }
  while (!log.includes('job ended')) await delay(20);
  service.kill('SIGTERM');
  // Its output may end after itself.
  await once(service, 'close');

  const entries = log
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const id = created.$metadata.requestId;
  const ofJob = entries.filter(({ job }) => job === 'good');
  expect(ofJob.map(({ msg }) => msg)).toEqual(expect.arrayContaining(['job started', 'job ended']));
  for (const entry of ofJob) expect(entry.requestId).toBe(id);

  expect(signatures.length).toBeGreaterThan(2);
  for (const secret of [...SECRETS, ...signatures, credentials.secretAccessKey, 'ab'.repeat(32)]) {
    expect(secret.length).toBeGreaterThan(10);
    expect(log).not.toContain(secret);
  }
  sagemaker.destroy();
  s3.destroy();
  stranger.destroy();
});
