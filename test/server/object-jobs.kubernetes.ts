import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import {
  DescribeOptimizationJobCommand,
  type DescribeOptimizationJobCommandOutput,
  SageMakerClient,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { JsonValue } from '#burnish/service-model/read-value.js';
import { createCommand } from '../support/create-request.js';
import { IMAGE, type ObjectSteps, prepareObjectSteps } from '../support/kubernetes/object-steps.js';
import {
  readAccessKey,
  type ServiceProcess,
  startServiceProcess,
} from '../support/service-process.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { END_STATES } from '../support/until-ended.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const MODEL = join(FIXTURES, 'shakespeare-llama');
const SECRET = 'service-credentials';

let dataDir: string;
let steps: ObjectSteps;
let service: ServiceProcess;
let startService: () => Promise<void>;
let sagemaker: SageMakerClient;

/** The service as a user would start it: its models are in an S3 store of their own. */
beforeAll(async () => {
  const folder = temporaryFolder('object-jobs');
  dataDir = join(folder, 'data');
  steps = await prepareObjectSteps(folder, SECRET);
  for (const name of await readdir(MODEL)) await put(`source/${name}`, join(MODEL, name));
  await put('calibration.txt', join(FIXTURES, 'shakespeare-llama-calibration.txt'));
  const file = join(folder, 'burnish.yaml');
  await writeFile(
    file,
    JSON.stringify({
      executor: {
        optimizer: 'kubernetes',
        images: 'kubernetes',
        kubernetes: {
          kubeconfig: steps.options.kubeconfig,
          optimizerImage: 'burnish-test/burnish:1',
          user: '0:0',
          s3: {
            staging: 's3://models/staging',
            credentialsSecret: SECRET,
            cidrs: ['127.0.0.0/8'],
          },
          enforcesNetworkPolicies: true,
        },
      },
    }),
  );
  const s3 = ['--s3-endpoint', steps.server.url, '--s3-path-style'];
  startService = async () => {
    service = await startServiceProcess(dataDir, ['--port', '0', '--config', file, ...s3]);
    const credentials = await readAccessKey(dataDir);
    sagemaker = new SageMakerClient({ endpoint: service.url, region: 'us-east-1', credentials });
  };
  await startService();
});

afterAll(async () => {
  service.process.kill();
  await steps.server.close();
});

async function put(key: string, path: string): Promise<void> {
  const Body = await readFile(path);
  await steps.server.s3.send(new PutObjectCommand({ Bucket: 'models', Key: key, Body }));
}

async function create(
  name: string,
  environment: Readonly<Record<string, string>>,
  configs: readonly JsonValue[] = [{ ModelQuantizationConfig: {} }],
): Promise<void> {
  await sagemaker.send(
    createCommand({
      OptimizationJobName: name,
      // Of several accelerators, so that a model can be sharded for it.
      DeploymentInstanceType: 'ml.g5.12xlarge',
      OptimizationEnvironment: environment,
      OptimizationConfigs: configs,
      OutputConfig: { S3OutputLocation: `s3://models/${name}` },
    }),
  );
}

const describeJob = (name: string): Promise<DescribeOptimizationJobCommandOutput> =>
  sagemaker.send(new DescribeOptimizationJobCommand({ OptimizationJobName: name }));

/** Waits for a job's end, and looks all the while for bytes of a model in the service's data folder. */
async function ended(name: string): Promise<DescribeOptimizationJobCommandOutput> {
  for (;;) {
    const job = await describeJob(name);
    // A folder may go while it is listed.
    const files = await readdir(dataDir, { recursive: true }).catch(() => []);
    expect(files.filter((file) => /\.safetensors/.test(file))).toEqual([]);
    if (END_STATES.includes(job.OptimizationJobStatus ?? '')) return job;
    await delay(200);
  }
}

async function keys(prefix: string): Promise<readonly string[]> {
  const list = new ListObjectsV2Command({ Bucket: 'models', Prefix: prefix });
  const { Contents = [] } = await steps.server.s3.send(list);
  return Contents.map(({ Key = '' }) => Key.slice(prefix.length)).sort();
}

async function read(key: string): Promise<Uint8Array> {
  const get = new GetObjectCommand({ Bucket: 'models', Key: key });
  const { Body } = await steps.server.s3.send(get);
  return (await Body?.transformToByteArray()) ?? new Uint8Array();
}

interface Report {
  readonly complete?: boolean;
  readonly files: readonly {
    readonly name: string;
    readonly bytes: number;
    readonly sha256: string;
  }[];
  readonly images?: readonly { readonly image: string }[];
  readonly steps: readonly unknown[];
}

/** Checks that all that a report speaks of is there as it says, and nothing else. */
async function expectWhole(prefix: string): Promise<Report> {
  const report = JSON.parse(
    Buffer.from(await read(`${prefix}optimization-report.json`)).toString(),
  ) as Report;
  const names = report.files.map(({ name }) => name);
  expect([...names, 'optimization-report.json'].sort()).toEqual(await keys(prefix));
  for (const { name, bytes, sha256 } of report.files) {
    const content = await read(`${prefix}${name}`);
    expect(content.length).toBe(bytes);
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
  }
  expect(await keys('staging/')).toEqual([]);
  return report;
}

it('runs two steps of the built-in optimizer, the second on what the first has left', async () => {
  await create('optimized', { OPTION_QUANTIZE: 'rtn', OPTION_TENSOR_PARALLEL_DEGREE: '2' }, [
    { ModelQuantizationConfig: {} },
    { ModelShardingConfig: {} },
  ]);
  const job = await ended('optimized');
  expect(job.FailureReason).toBeUndefined();
  expect(job.OptimizationJobStatus).toBe('COMPLETED');
  const report = await expectWhole('optimized/');
  expect(report.steps).toHaveLength(2);
});

it('runs an image, and reports what it has made', async () => {
  const config = { ModelQuantizationConfig: { Image: IMAGE } };
  await create('imaged', { OPTION_QUANTIZE: 'awq', OPTION_REPORT: 'false' }, [config]);
  const job = await ended('imaged');
  expect(job.FailureReason).toBeUndefined();
  const report = await expectWhole('imaged/');
  expect(report.files.map(({ name }) => name)).toContain('model.safetensors');
  expect(report.images).toMatchObject([{ image: IMAGE }]);
});

it('finds a step again that went on while the service was gone', async () => {
  const config = { ModelQuantizationConfig: { Image: IMAGE } };
  const late = { OPTION_ACT: 'succeed-late', OPTION_DELAY_MS: '3000' };
  await create('survivor', { OPTION_QUANTIZE: 'awq', ...late }, [config]);
  const log = join(dataDir, 'logs', 'survivor', '1-quantization.log');
  const text = () => readFile(log, 'utf8').catch(() => '');
  while (!(await text()).includes('acting')) await delay(50);
  service.process.kill('SIGKILL');
  await once(service.process, 'exit');
  await startService();
  const job = await ended('survivor');
  expect(job.FailureReason).toBeUndefined();
  expect(await keys('survivor/')).toContain('model.safetensors');
  expect(await keys('staging/')).toEqual([]);
  expect((await text()).match(/acting/g)).toHaveLength(1);
});

it('publishes what a job that is stopped has finished', async () => {
  await create('stopped', {
    OPTION_QUANTIZE: 'awq',
    OPTION_CALIB_SIZE: '48',
    OPTION_CALIB_DATASET: 's3://models/calibration.txt',
    OPTION_EVALUATE: 'false',
  });
  // As its pod tells it.
  const progress = join(dataDir, 'work', 'stopped', 'step-1', 'progress.jsonl');
  const layers = async () =>
    (await readFile(progress, 'utf8').catch(() => '')).match(/"layer":/g)?.length ?? 0;
  while ((await layers()) < 3) await delay(100);
  await sagemaker.send(new StopOptimizationJobCommand({ OptimizationJobName: 'stopped' }));
  expect(await ended('stopped')).toMatchObject({ OptimizationJobStatus: 'STOPPED' });
  const log = await readFile(join(dataDir, 'logs', 'stopped', '1-quantization.log'), 'utf8');
  expect(log).toContain('what is finished was published to s3://models/stopped/partial/stopped/');
  expect((await keys('stopped/')).every((key) => key.startsWith('partial/stopped/'))).toBe(true);
  expect((await expectWhole('stopped/partial/stopped/')).complete).toBe(false);
});

it('says what is wrong with a model, as the pod found it', async () => {
  await put('broken/config.json', join(MODEL, 'config.json'));
  const command = createCommand({
    OptimizationJobName: 'broken',
    ModelSource: { S3: { S3Uri: 's3://models/broken' } },
    OutputConfig: { S3OutputLocation: 's3://models/out-of-broken' },
  });
  await sagemaker.send(command);
  const job = await ended('broken');
  expect(job.OptimizationJobStatus).toBe('FAILED');
  expect(job.FailureReason).toContain('safetensors');
  expect(await keys('out-of-broken/')).toEqual([]);
  expect(await keys('staging/')).toEqual([]);
});
