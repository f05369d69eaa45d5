import { spawnSync } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { SageMakerClient, StopOptimizationJobCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contentOf } from '../optimizer/resuming/support.js';
import { createCommand, type createRequest } from '../support/create-request.js';
import { importNodeImage, NODE_IMAGE } from '../support/docker/node-image.js';
import { testEngine } from '../support/docker/test-image.js';
import { type RunningService, startTestService } from '../support/running-service.js';
import { untilEnded } from '../support/until-ended.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FIXTURES = join(ROOT, 'fixtures');
const MODEL = join(FIXTURES, 'shakespeare-llama');
/** One that is built already saves the time of building it. */
const { BURNISH_TEST_IMAGE: READY_IMAGE } = process.env;
const IMAGE = READY_IMAGE ?? 'burnish-test/burnish:1';
const CONTAINER = 'burnish-under-test';
/** Where the image's own health check looks. */
const ENDPOINT = 'http://127.0.0.1:4580';
/** How long `docker stop` waits before it kills, unless it is told otherwise. */
const STOP_SECONDS = 10;
/** Long enough to be met in its middle, also by a fast machine. */
const SLOW = { OPTION_QUANTIZE: 'awq', OPTION_CALIB_SIZE: '128', OPTION_EVALUATE: 'false' };

const { socket } = testEngine();

/** @returns what the command printed, which has to succeed */
function docker(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('docker', args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 ** 2,
    // The builder that every engine has; the other one is a program of its own.
    env: { ...process.env, DOCKER_HOST: `unix://${socket}`, DOCKER_BUILDKIT: '0' },
  });
  // The service's own log is its stderr.
  if (status === 0) return args[0] === 'logs' ? stderr.trim() : stdout.trim();
  throw new Error(`docker ${args[0]} failed: ${stdout.slice(-4000)}${stderr.slice(-4000)}`);
}

/** Run in the container itself, since the job is over before a few containers' processes have started. */
const UNTIL_ON_RECORD = `setInterval(() => {
  try {
    if (fs.readFileSync(process.argv[1], 'utf8').includes('"kind":"stage"')) process.exit();
  } catch ({ code }) {
    if (code !== 'ENOENT') throw new Error(code);
  }
}, 20)`;

const inContainer = (script: string) => docker('exec', CONTAINER, 'node', '-p', script);

beforeAll(async () => {
  if (READY_IMAGE !== undefined) return;
  await importNodeImage(socket);
  const args = ['--build-arg', `NODE_IMAGE=${NODE_IMAGE}`, '--network', 'host'];
  docker('build', '--quiet', ...args, '--tag', IMAGE, '.');
});

describe('the image as a service', () => {
  let sagemaker: SageMakerClient;
  let s3: S3Client;

  beforeAll(async () => {
    docker(
      ...['run', '--detach', '--name', CONTAINER, '--network', 'host', '--read-only'],
      ...['--tmpfs', '/tmp', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'],
      ...['--volume', 'burnish-test-data:/data', IMAGE, 'serve', '--host', '127.0.0.1'],
    );
    await untilHealthy();
    const text = inContainer(`fs.readFileSync('/data/credentials', 'utf8')`);
    const value = (name: string) => new RegExp(`${name} = (.+)`).exec(text)?.[1] ?? '';
    const credentials = {
      accessKeyId: value('aws_access_key_id'),
      secretAccessKey: value('aws_secret_access_key'),
    };
    const client = { endpoint: ENDPOINT, region: 'us-east-1', credentials };
    sagemaker = new SageMakerClient(client);
    s3 = new S3Client({ ...client, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'models' }));
    for (const name of await readdir(MODEL)) {
      const Body = await readFile(join(MODEL, name));
      await s3.send(new PutObjectCommand({ Bucket: 'models', Key: `source/${name}`, Body }));
    }
  });

  afterAll(() => {
    docker('rm', '--force', '--volumes', CONTAINER);
    docker('volume', 'rm', 'burnish-test-data');
  });

  async function untilHealthy(): Promise<void> {
    const state = () =>
      docker('inspect', '--format', '{{.State.Status}} {{.State.Health.Status}}', CONTAINER);
    for (let now = state(); now !== 'running healthy'; now = state()) {
      if (!now.startsWith('running')) throw new Error(`${now}: ${docker('logs', CONTAINER)}`);
      await delay(500);
    }
  }

  async function create(change: Parameters<typeof createRequest>[0]): Promise<void> {
    await sagemaker.send(createCommand(change));
  }

  const ended = (name: string) => untilEnded(sagemaker, name, 200);

  /** Begins a job, and waits until it has work to lose. */
  async function beginSlow(name: string): Promise<void> {
    await create({
      OptimizationJobName: name,
      OptimizationEnvironment: SLOW,
      OutputConfig: { S3OutputLocation: `s3://models/${name}` },
    });
    const list = `/data/work/${name}/kept/step-1/own/finished.jsonl`;
    docker('exec', CONTAINER, 'node', '-e', UNTIL_ON_RECORD, list);
  }

  async function expectGoingOn(name: string): Promise<void> {
    expect(await ended(name)).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const log = inContainer(`fs.readFileSync('/data/logs/${name}/1-quantization.log', 'utf8')`);
    expect(log).toMatch(/going on from [1-9]\d* finished layers/);
  }

  it('is no root, and can write to its volume and to /tmp alone', () => {
    expect(inContainer('process.getuid()')).toBe('1000');
    const tryTo = (path: string) =>
      inContainer(`try { fs.writeFileSync('${path}', ''); 'written' } catch ({ code }) { code }`);
    expect(tryTo('/tmp/a')).toBe('written');
    expect(tryTo('/opt/burnish/dist/a')).toMatch(/EROFS|EACCES/);
  });

  it('quantizes, evaluates and compiles a model that came by the AWS SDK', async () => {
    await create({
      OptimizationJobName: 'first',
      OptimizationConfigs: [{ ModelQuantizationConfig: {} }, { ModelCompilationConfig: {} }],
      OptimizationEnvironment: {},
    });
    const job = await ended('first');
    expect(job.FailureReason).toBeUndefined();
    const { Body } = await s3.send(
      new GetObjectCommand({ Bucket: 'models', Key: 'output/optimization-report.json' }),
    );
    const report = JSON.parse((await Body?.transformToString()) ?? '');
    expect(report.complete).toBe(true);
    expect(report.steps.map(({ technique }: { technique: string }) => technique)).toEqual([
      'quantization',
      'compilation',
    ]);
  });

  it('ends in time when it is stopped, and goes on with its job when it is started again', async () => {
    await beginSlow('stopped');
    const asked = Date.now();
    docker('stop', CONTAINER);
    expect(Date.now() - asked).toBeLessThan(STOP_SECONDS * 1000);
    expect(docker('inspect', '--format', '{{.State.ExitCode}}', CONTAINER)).toBe('0');
    docker('start', CONTAINER);
    await untilHealthy();
    await expectGoingOn('stopped');
  });

  it('goes on when it was killed', async () => {
    await beginSlow('killed');
    docker('kill', CONTAINER);
    docker('start', CONTAINER);
    await untilHealthy();
    await expectGoingOn('killed');
  });
});

describe('the image as the place of the built-in optimizer', () => {
  let service: RunningService;

  beforeAll(async () => {
    service = await startTestService({
      concurrentJobs: 1,
      stopGraceSeconds: 60,
      file: {
        executor: {
          optimizer: 'docker',
          docker: { socket, optimizerImage: IMAGE, pull: 'never', user: '1000:1000' },
        },
      },
    });
    const bucket = join(service.dataDir, 'buckets', 'models');
    await cp(MODEL, join(bucket, 'source'), { recursive: true });
    await cp(join(FIXTURES, 'shakespeare-llama-calibration.txt'), join(bucket, 'calibration.txt'));
  });

  afterAll(() => service.close());

  async function create(name: string, output: string, more: Record<string, string> = {}) {
    const command = createCommand({
      OptimizationJobName: name,
      OptimizationEnvironment: {
        ...SLOW,
        OPTION_CALIB_DATASET: 's3://models/calibration.txt',
        ...more,
      },
      OutputConfig: { S3OutputLocation: `s3://models/${output}` },
    });
    await service.sagemaker.send(command);
  }

  const outputOf = (name: string) => join(service.dataDir, 'buckets', 'models', name);

  async function untilOnRecord(name: string): Promise<void> {
    const list = join(service.dataDir, 'work', name, 'kept', 'step-1', 'own', 'finished.jsonl');
    while (!(await readFile(list, 'utf8').catch(() => '')).includes('"kind":"stage"')) {
      await delay(50);
    }
  }

  it('goes on from what a stopped job has finished, to the bytes of one that was not', async () => {
    await create('whole', 'whole');
    const whole = await service.ended('whole');
    expect(whole.FailureReason).toBeUndefined();
    await create('first', 'out');
    await untilOnRecord('first');
    await service.sagemaker.send(new StopOptimizationJobCommand({ OptimizationJobName: 'first' }));
    expect(await service.ended('first')).toMatchObject({ OptimizationJobStatus: 'STOPPED' });
    expect(await readdir(join(outputOf('out'), 'partial'))).toEqual(['first']);
    await create('second', 'out', { OPTION_RESUME_FROM: 'first' });
    const second = await service.ended('second');
    expect(second.FailureReason).toBeUndefined();
    const log = join(service.dataDir, 'logs', 'second', '1-quantization.log');
    expect(await readFile(log, 'utf8')).toMatch(/going on from [1-9]\d* finished layers/);
    const [result, expected] = [
      await contentOf(outputOf('out')),
      await contentOf(outputOf('whole')),
    ];
    expect([...result.keys()]).toEqual([...expected.keys()]);
    for (const [name, content] of expected) expect(result.get(name), name).toEqual(content);
  });
});
