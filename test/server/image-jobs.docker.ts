import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  CreateOptimizationJobCommand,
  type OptimizationConfig,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importTestImage, testEngine } from '../support/docker/test-image.js';
import { type RunningService, reportOf, startTestService } from '../support/running-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../support/step-program.mjs', import.meta.url));
/** As SageMaker's own documentation writes them. */
const ECR_IMAGE = '763104351884.dkr.ecr.us-west-2.amazonaws.com/djl-inference:0.31.0-lmi';
const LOCAL_IMAGE = 'burnish-test/lmi:1';

const { socket, registry } = testEngine();
const docker = new Docker({ socketPath: socket });
const REGISTRY_IMAGE = `${registry.address}/lmi/stand-in:0.31.0-lmi`;

let secrets: string;
let service: RunningService;

beforeAll(async () => {
  const files = { '/program/step-program.mjs': PROGRAM };
  const changes = ['ENTRYPOINT ["/usr/local/bin/node", "/program/step-program.mjs"]'];
  await importTestImage(socket, { name: LOCAL_IMAGE, files, changes });
  await pushToRegistry();
  secrets = temporaryFolder('secrets');
  await writeFile(join(secrets, 'password'), `${registry.password}\n`);
  service = await startTestService({
    concurrentJobs: 4,
    stopGraceSeconds: 2,
    file: {
      executor: {
        imageMappings: [
          {
            from: '*.dkr.ecr.*.amazonaws.com/djl-inference',
            to: `${registry.address}/lmi/stand-in`,
          },
        ],
        docker: {
          socket,
          registries: [
            {
              registry: registry.address,
              username: registry.username,
              passwordFile: join(secrets, 'password'),
            },
          ],
          memoryBytes: 256 * 1024 ** 2,
        },
      },
    },
  });
  await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
});

afterAll(async () => {
  await service.close();
});

async function pushToRegistry(): Promise<void> {
  const [repo = '', tag = ''] = REGISTRY_IMAGE.split(/:(?=[^/]*$)/);
  await docker.getImage(LOCAL_IMAGE).tag({ repo, tag });
  const { username, password } = registry;
  const pushed = await docker.getImage(REGISTRY_IMAGE).push({ authconfig: { username, password } });
  await new Promise<void>((resolve, reject) => {
    const onFinished = (error: Error | null) => (error === null ? resolve() : reject(error));
    docker.modem.followProgress(pushed, onFinished);
  });
  await docker.getImage(REGISTRY_IMAGE).remove();
}

interface Job {
  readonly name: string;
  readonly configs?: OptimizationConfig[];
  readonly image?: string;
  readonly environment?: Record<string, string>;
  readonly seconds?: number;
}

function create({ name, configs, image = LOCAL_IMAGE, environment, seconds = 600 }: Job) {
  return service.create(name, {
    DeploymentInstanceType: 'ml.g5.12xlarge',
    OptimizationEnvironment: environment,
    OptimizationConfigs: configs ?? [{ ModelQuantizationConfig: { Image: image } }],
    StoppingCondition: { MaxRuntimeInSeconds: seconds },
  });
}

const logOf = (name: string, file = '1-quantization.log') =>
  readFile(join(service.dataDir, 'logs', name, file), 'utf8').catch(() => '');

async function untilLogHas(name: string, text: string): Promise<void> {
  while (!(await logOf(name)).includes(text)) await delay(50);
}

async function containersOf(name: string) {
  return docker.listContainers({ all: true, filters: { label: [`burnish.job=${name}`] } });
}

describe('a job whose step has an image', () => {
  it('pulls an ECR image from the registry that stands for ECR, and records its digest', async () => {
    await create({ name: 'ecr', image: ECR_IMAGE, environment: { OPTION_QUANTIZE: 'awq' } });
    expect(await service.ended('ecr')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const log = await logOf('ecr');
    expect(log).toContain(`pulling ${REGISTRY_IMAGE}`);
    expect(log).toContain('acting: succeed');
    expect(await reportOf(service, 'ecr')).toMatchObject({
      steps: 0,
      images: [
        {
          step: 1,
          technique: 'quantization',
          image: ECR_IMAGE,
          pulledAs: REGISTRY_IMAGE,
          digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
          exitStatus: 0,
        },
      ],
    });
    const trace = JSON.parse(await readFile(join(service.outputOf('ecr'), 'trace.json'), 'utf8'));
    expect(trace[0].environment).toMatchObject({
      SM_NEO_EXECUTION_CONTEXT: '1',
      SM_NEO_INPUT_MODEL_DIR: '/opt/ml/model/input',
      SM_NEO_COMPILED_MODEL_DIR: '/opt/ml/model/compiled',
      SM_NEO_COMPILATION_ERROR_FILE: '/opt/ml/compilation/errors/errors.json',
      SM_NEO_CACHE_DIR: '/opt/ml/compilation/cache',
      SM_NEO_HF_CACHE_DIR: '/opt/ml/compilation/cache',
      COMPILER_OPTIONS: '{}',
      OPTION_QUANTIZE: 'awq',
    });
    expect(await containersOf('ecr')).toEqual([]);
  });

  it('writes a report for an image that leaves none', async () => {
    await create({ name: 'bare', environment: { OPTION_REPORT: 'false' } });
    await service.ended('bare');
    const report = await reportOf(service, 'bare');
    expect(report).toMatchObject({ schemaVersion: 1, complete: true, steps: [] });
    expect(report.files.map((file: { readonly name: string }) => file.name)).toContain(
      'model.safetensors',
    );
    expect(report.images[0]).toMatchObject({ image: LOCAL_IMAGE, digest: null });
  });

  it('hands the result of an image to the built-in optimizer', async () => {
    await create({
      name: 'mixed',
      configs: [
        { ModelQuantizationConfig: { Image: LOCAL_IMAGE } },
        {
          ModelShardingConfig: { OverrideEnvironment: { OPTION_TENSOR_PARALLEL_DEGREE: '2' } },
        },
      ],
    });
    expect(await service.ended('mixed')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const report = await reportOf(service, 'mixed');
    expect(report.images).toMatchObject([{ step: 1 }]);
    expect(report.steps.at(-1)).toMatchObject({ technique: 'sharding' });
  });

  it('fails with the text of the error file', async () => {
    await create({ name: 'broken', environment: { OPTION_ACT: 'fail' } });
    expect(await service.ended('broken')).toMatchObject({
      OptimizationJobStatus: 'FAILED',
      FailureReason: expect.stringContaining('the tensor x is broken'),
    });
  });

  it('fails when the registry does not have the image, and says so', async () => {
    await create({ name: 'absent', image: `${registry.address}/nothing:1` });
    expect(await service.ended('absent')).toMatchObject({
      OptimizationJobStatus: 'FAILED',
      FailureReason: expect.stringMatching(/nothing:1 can’t be pulled/),
    });
  });

  it('publishes no link that an image has left', async () => {
    await create({ name: 'link', environment: { OPTION_ACT: 'leave-link' } });
    expect(await service.ended('link')).toMatchObject({
      OptimizationJobStatus: 'FAILED',
      FailureReason: expect.stringMatching(/leak.*symbolic link/),
    });
  });

  it('says when a container needed more memory than it may use', async () => {
    await create({ name: 'hungry', environment: { OPTION_ACT: 'eat-memory' } });
    expect(await service.ended('hungry')).toMatchObject({
      OptimizationJobStatus: 'FAILED',
      FailureReason: expect.stringMatching(/more memory than it may/),
    });
  });

  it('stops with SIGTERM, and leaves no container', async () => {
    await create({ name: 'stopped', environment: { OPTION_ACT: 'wait-for-term' } });
    await untilLogHas('stopped', 'acting');
    await service.sagemaker.send(
      new StopOptimizationJobCommand({ OptimizationJobName: 'stopped' }),
    );
    expect(await service.ended('stopped')).toMatchObject({ OptimizationJobStatus: 'STOPPED' });
    expect(await logOf('stopped')).toContain('terminated politely');
    expect(await containersOf('stopped')).toEqual([]);
  });

  it('ends at its deadline, also when it ignores SIGTERM', async () => {
    await create({ name: 'late', environment: { OPTION_ACT: 'ignore-term' }, seconds: 3 });
    expect(await service.ended('late')).toMatchObject({
      OptimizationJobStatus: 'STOPPED',
      FailureReason: expect.stringContaining('MaxRuntimeInSeconds (3 seconds)'),
    });
    expect(await containersOf('late')).toEqual([]);
  });

  it('is refused where no engine answers', async () => {
    const lonely = await startTestService({
      file: { executor: { docker: { socket: join(secrets, 'no.sock') } } },
    });
    await mkdir(join(lonely.dataDir, 'buckets', 'models', 'source'), { recursive: true });
    await expect(
      lonely.sagemaker.send(
        new CreateOptimizationJobCommand({
          OptimizationJobName: 'no-engine',
          RoleArn: 'arn:aws:iam::000000000000:role/burnish-execution',
          ModelSource: { S3: { S3Uri: 's3://models/source' } },
          DeploymentInstanceType: 'ml.g5.xlarge',
          OptimizationConfigs: [{ ModelQuantizationConfig: { Image: LOCAL_IMAGE } }],
          OutputConfig: { S3OutputLocation: 's3://models/no-engine' },
          StoppingCondition: {},
        }),
      ),
    ).rejects.toThrow(/needs a container engine, and none answers at .*no\.sock/);
    await lonely.close();
  });

  it('goes on over a restart of the service, and its log is whole', async () => {
    await create({
      name: 'adopted',
      environment: { OPTION_ACT: 'count', OPTION_LINES: '60', OPTION_PAUSE_MS: '50' },
    });
    await untilLogHas('adopted', 'line 5 of 60');
    const [before] = await containersOf('adopted');
    await service.restart();
    const [after] = await containersOf('adopted');
    expect(after?.Id).toBe(before?.Id);
    expect(await service.ended('adopted')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const lines = [...(await logOf('adopted')).matchAll(/line (\d+) of 60$/gm)];
    expect(lines.map(([, line]) => Number(line))).toEqual(
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
  });
});
