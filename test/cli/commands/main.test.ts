import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { BURNISH } from '../differential/programs.js';
import { type RecordingServer, startRecordingServer } from '../differential/recording-server.js';
import { describedJob } from './described-job.js';

let home: string;
let server: RecordingServer;

beforeAll(async () => {
  home = temporaryFolder('main');
  server = await startRecordingServer();
});

afterAll(async () => {
  await server.close();
});

const options = () => ({
  env: {
    PATH: process.env.PATH,
    HOME: home,
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
  },
});

const start = (...args: readonly string[]) =>
  spawn(process.execPath, [BURNISH, ...args], options());

async function run(...args: readonly string[]) {
  const child = start(...args);
  child.stdin.end();
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { stdout, stderr, status };
}

const CREATE = [
  'create-optimization-job',
  ...['--optimization-job-name', 'job'],
  ...['--role-arn', 'arn:aws:iam::000000000000:role/burnish'],
  ...['--model-source', 'S3={S3Uri=s3://models/llama}'],
  ...['--deployment-instance-type', 'ml.g5.xlarge'],
  ...['--optimization-configs', 'ModelQuantizationConfig={}'],
  ...['--output-config', 'S3OutputLocation=s3://models/out'],
  ...['--stopping-condition', 'MaxRuntimeInSeconds=60'],
];

const progress = (state: string) => ({
  body: { OptimizationJobName: 'job', OptimizationJobStatus: state, Steps: 1 },
});

describe('the program', () => {
  it('tells its version', async () => {
    const { stdout, status } = await run('--version');
    expect(stdout).toMatch(/^burnish\/\d+\.\d+\.\d+ Node\/\d+\.\d+\.\d+ \w+\/\S+ \w+\n$/);
    expect(status).toBe(0);
    expect((await run('list-tags', '--version')).stdout).toBe(stdout);
  });

  it('puts an empty line before an error', async () => {
    const { stdout, stderr, status } = await run('list-tags', '--resource-arn', 'file:///nowhere');
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^\nError parsing parameter '--resource-arn': Unable to load.*\n$/);
    expect(status).toBe(252);
  });

  it('takes it well when nobody reads what it prints', async () => {
    const command = `set -o pipefail; '${process.execPath}' '${BURNISH}' create-optimization-job --generate-cli-skeleton | true`;
    const { stderr } = await promisify(execFile)('bash', ['-c', command], options());
    expect(stderr).toBe('');
  });

  it('ends with 130 where the user interrupts it', async () => {
    const silent = createServer();
    silent.listen(0, '127.0.0.1');
    const asked = once(silent, 'request');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const child = start('list-optimization-jobs', '--endpoint-url', url);
    await asked;
    child.kill('SIGINT');
    const [stdout, [status]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    expect({ stdout, status }).toEqual({ stdout: '\n', status: 130 });
    silent.close();
  });

  it('creates a job and waits for its good end', async () => {
    const { url, requests } = server.record([
      { body: { OptimizationJobArn: 'arn' } },
      progress('INPROGRESS'),
      progress('COMPLETED'),
      { body: describedJob('COMPLETED') },
    ]);
    const { stdout, status } = await run(...CREATE, '--wait', '--endpoint-url', url);
    expect(JSON.parse(stdout)).toEqual({ OptimizationJobArn: 'arn' });
    expect(status).toBe(0);
    expect(requests.map((request) => request.target)).toEqual([
      'SageMaker.CreateOptimizationJob',
      'Burnish.DescribeOptimizationJobProgress',
      'Burnish.DescribeOptimizationJobProgress',
      'SageMaker.DescribeOptimizationJob',
    ]);
  });

  it('waits for a job, and tells a bad end by its status', async () => {
    const { url } = server.record([
      progress('FAILED'),
      { body: describedJob('FAILED', 'the model is empty') },
    ]);
    const { stderr, status } = await run(
      ...['wait', 'optimization-job-completed', '--optimization-job-name', 'job'],
      ...['--endpoint-url', url],
    );
    expect(stderr).toContain('optimization job job is FAILED: the model is empty');
    expect(status).toBe(255);
  });

  it('refuses to wait for what is no condition', async () => {
    const { stderr, status } = await run(
      ...['wait', 'optimization-job-complete', '--optimization-job-name', 'job'],
    );
    expect(stderr).toContain("'optimization-job-complete', maybe you meant:");
    expect(status).toBe(252);
  });
});
