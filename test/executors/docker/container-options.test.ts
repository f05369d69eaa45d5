import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { containerOptions } from '#burnish/executors/docker/container-options.js';
import { networksOf } from '#burnish/executors/docker/network-of.js';
import type { StepRequest } from '#burnish/executors/executor.js';
import { prepareContainerStep } from '#burnish/executors/lmi-container.js';
import { createStepFolders, stepFolders } from '#burnish/executors/step-folders.js';
import { TEST_DOCKER_OPTIONS } from '../../support/docker/docker-options.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const OPTIONS = { ...TEST_DOCKER_OPTIONS, socket: '/nowhere' };
const MACHINE = {
  network: 'none',
  memoryBytes: 100e9,
  cpus: 8,
  limitsCpus: true,
  hasGpus: false,
};
const IMAGE = { id: 'sha256:1', name: 'r.example/a:1', labels: {} };

let folder: string;
let request: StepRequest;

beforeEach(async () => {
  folder = temporaryFolder('container');
  const folders = stepFolders(folder, 0);
  await createStepFolders(folders);
  request = {
    job: 'job-1',
    step: 0,
    technique: 'quantization',
    image: 'r.example/a:1',
    environment: { OPTION_A: 'a=b', HOME: '/home/me' },
    deployment: { instanceType: 'ml.g5.xlarge', accelerator: 'A10G', count: 1, memoryGb: 24 },
    datasets: { OPTION_CALIB_DATASET: join(folders.root, 'datasets', 'x.txt') },
    inputFolder: '/models/source',
    folders,
    logFile: join(folder, 'log'),
    deadline: Date.now() + 1_000,
    graceMs: 120_000,
  };
});

async function optionsOf(change: Partial<StepRequest> = {}, options = OPTIONS, place = MACHINE) {
  const changed = { ...request, ...change };
  const step = await prepareContainerStep(changed);
  return containerOptions(changed, step, IMAGE, options, place);
}

describe('containerOptions', () => {
  it('gives a container nothing but its folders', async () => {
    const { HostConfig: host, ...container } = await optionsOf();
    expect(host).toMatchObject({
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Privileged: false,
      ReadonlyRootfs: true,
      NetworkMode: 'none',
    });
    const mounts = host?.Mounts as unknown as { Source: string; ReadOnly: boolean }[];
    const writable = mounts.filter((mount) => !mount.ReadOnly).map(({ Source }) => Source);
    const { output, cache, errors, temporary } = request.folders;
    expect(writable).toEqual([output, cache, errors, temporary]);
    expect(mounts.filter((mount) => mount.ReadOnly)).toMatchObject([
      { Source: '/models/source', Target: '/opt/ml/model/input' },
    ]);
    expect(container).toMatchObject({ Image: 'sha256:1', User: '0:0', StopTimeout: 120 });
    expect(container.Entrypoint).toBeUndefined();
  });

  it('lets the caller’s settings go before the contract’s', async () => {
    const { Env: env } = await optionsOf();
    expect(env).toContain('OPTION_A=a=b');
    expect(env?.filter((entry) => entry.startsWith('HOME='))).toEqual(['HOME=/home/me']);
    expect(env).toContain('SM_NEO_COMPILED_MODEL_DIR=/opt/ml/model/compiled');
  });

  it('runs the built-in optimizer with its settings as data', async () => {
    const options = await optionsOf({ image: undefined });
    expect(options.Entrypoint).toEqual(['node']);
    expect(options.Cmd).toEqual(['/opt/burnish/dist/optimizer/main.js']);
    expect(options.Env).not.toContain('OPTION_A=a=b');
    expect(options.Env).toContain('BURNISH_STEP_FILE=/opt/ml/job/step-1/step.json');
    expect(JSON.parse(await readFile(request.folders.stepFile, 'utf8'))).toMatchObject({
      environment: request.environment,
      datasets: { OPTION_CALIB_DATASET: '/opt/ml/job/step-1/datasets/x.txt' },
    });
  });

  it('hands the built-in optimizer its finished layers in one mount with its result', async () => {
    const source = join(folder, 'source');
    const options = await optionsOf({ image: undefined, inputFolder: source });
    const mounts = options.HostConfig?.Mounts as unknown as {
      Source: string;
      Target: string;
      ReadOnly: boolean;
    }[];
    const [job] = mounts.filter(({ Source }) => Source === folder);
    expect(job).toMatchObject({ Target: '/opt/ml/job', ReadOnly: false });
    expect(options.Env).toContain('SM_NEO_COMPILED_MODEL_DIR=/opt/ml/job/step-1/compiled');
    expect(options.Env).toContain('BURNISH_RESUME_DIR=/opt/ml/job/kept/step-1');
    // The way through the job's folder is no way around the protection of the source.
    const sources = mounts.filter(({ Source }) => Source === source);
    expect(sources).toMatchObject([
      { Target: '/opt/ml/model/input', ReadOnly: true },
      { Target: '/opt/ml/job/source', ReadOnly: true },
    ]);
    const image = await optionsOf();
    expect(image.Env?.filter((entry) => entry.startsWith('BURNISH_'))).toEqual([]);
  });

  const limitsOf = async (change: Partial<StepRequest>, options = {}, place = MACHINE) => {
    const unlimited = { ...OPTIONS, memoryBytes: undefined, cpus: undefined };
    const { HostConfig: host = {} } = await optionsOf(change, { ...unlimited, ...options }, place);
    expect(host.MemorySwap).toBe(host.Memory);
    return [host.Memory, host.NanoCpus === undefined ? undefined : host.NanoCpus / 1e9];
  };

  it('limits an image to what its instance type has', async () => {
    expect(await limitsOf({})).toEqual([16 * 1024 ** 3, 4]);
    const deployment = { ...request.deployment, instanceType: 'ml.p5.48xlarge' };
    expect(await limitsOf({ deployment })).toEqual([90e9, 8]);
    expect(await limitsOf({}, { memoryBytes: 5e9, cpus: 1.5 })).toEqual([5e9, 1.5]);
  });

  it('limits the built-in optimizer to what it was estimated to take', async () => {
    const resources = { memoryBytes: 4e9, cores: 2 };
    const optimizer = { image: undefined, resources };
    expect(await limitsOf(optimizer)).toEqual([6e9, 2]);
    expect(await limitsOf(optimizer, { memoryBytes: 5e9, cpus: 1.5 })).toEqual([5e9, 1.5]);
    expect(await limitsOf({ ...optimizer, resources: { memoryBytes: 1e8 } })).toEqual([
      1024 ** 3,
      8,
    ]);
    // Nothing is known of it.
    expect(await limitsOf({ image: undefined })).toEqual([90e9, 8]);
    const options = await optionsOf(optimizer);
    expect(options.Env).toContain('BURNISH_THREADS=2');
  });

  it('sets no limit that the engine can’t keep', async () => {
    expect(await limitsOf({}, {}, { ...MACHINE, limitsCpus: false })).toEqual([
      16 * 1024 ** 3,
      undefined,
    ]);
  });

  it('asks for GPUs where the engine has some and the step wants some', async () => {
    const place = { ...MACHINE, hasGpus: true };
    const requests = async (change: Partial<StepRequest>, options = OPTIONS) =>
      (await optionsOf(change, options, place)).HostConfig?.DeviceRequests;
    expect(await requests({})).toMatchObject([{ Count: -1, Capabilities: [['gpu']] }]);
    expect(await requests({ resources: { gpus: 2 } })).toMatchObject([{ Count: 2 }]);
    expect(await requests({ resources: { gpus: 0 } })).toBeUndefined();
    expect(await requests({}, { ...OPTIONS, gpus: 'none' })).toBeUndefined();
    expect((await optionsOf()).HostConfig?.DeviceRequests).toBeUndefined();
  });

  it.each([
    [['r.example/a'], false],
    [['*/a'], false],
    [['r.example/b'], true],
  ])('makes the root of images like %j writable', async (writableRoots, readOnly) => {
    const options = await optionsOf({}, { ...OPTIONS, writableRoots });
    expect(options.HostConfig?.ReadonlyRootfs).toBe(readOnly);
  });
});

describe('networksOf', () => {
  const networks = [
    { subnet: 'subnet-1', network: 'inner', securityGroupIds: ['sg-1'] },
    { subnet: 'subnet-2', network: 'inner', securityGroupIds: ['sg-1', 'sg-2'] },
  ];
  const options = { network: 'none', networks };

  it('maps subnets to networks', () => {
    expect(networksOf(undefined, options)).toEqual(['none']);
    const asked = { subnets: ['subnet-1', 'subnet-2'], securityGroupIds: ['sg-1'] };
    expect(networksOf(asked, options)).toEqual(['inner']);
  });

  it('refuses what nothing stands for', () => {
    const unknown = { subnets: ['subnet-3'], securityGroupIds: [] };
    expect(() => networksOf(unknown, options)).toThrow(
      /subnet subnet-3.*executor\.docker\.networks/,
    );
    const group = { subnets: ['subnet-1'], securityGroupIds: ['sg-2'] };
    expect(() => networksOf(group, options)).toThrow(/subnet-1 is not configured.*sg-2/);
  });
});
