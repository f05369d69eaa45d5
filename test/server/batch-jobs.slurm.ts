import { spawn, spawnSync } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { StopOptimizationJobCommand } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningService, reportOf, startTestService } from '../support/running-service.js';
import { APPTAINER_STAND_IN, testCluster } from '../support/slurm/test-cluster.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
const IMAGE = 'registry.example/stand-in:1';

const { folder: clusterFolder, configurationFile } = testCluster();
const PLACEMENTS = [
  { instanceType: 'ml.p4d*', partition: 'second', constraint: 'kind2' },
  { instanceType: 'ml.p5.*', partition: 'nowhere' },
];

let service: RunningService;

beforeAll(async () => {
  service = await startTestService({
    stopGraceSeconds: 2,
    file: {
      executor: {
        optimizer: 'slurm',
        images: 'slurm',
        slurm: {
          configurationFile,
          placements: PLACEMENTS,
          pollSeconds: 1,
          defaultMemoryBytes: 2e8,
          containerRuntime: 'apptainer',
          containerProgram: APPTAINER_STAND_IN,
        },
      },
    },
  });
  await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
});

afterAll(() => service.close());

type InstanceType = 'ml.g5.xlarge' | 'ml.p4d.24xlarge' | 'ml.p5.48xlarge';

function create(
  name: string,
  {
    instance = 'ml.g5.xlarge',
    image,
    environment,
  }: {
    readonly instance?: InstanceType;
    readonly image?: string;
    readonly environment?: Record<string, string>;
  } = {},
) {
  return service.create(name, {
    DeploymentInstanceType: instance,
    OptimizationEnvironment: { OPTION_QUANTIZE: 'rtn', ...environment },
    OptimizationConfigs: [{ ModelQuantizationConfig: { Image: image } }],
    StoppingCondition: { MaxRuntimeInSeconds: 600 },
  });
}

const acting = (act: string, more: Record<string, string> = {}) => ({
  image: IMAGE,
  environment: { OPTION_ACT: act, ...more },
});

const logOf = (name: string) =>
  readFile(join(service.dataDir, 'logs', name, '1-quantization.log'), 'utf8').catch(() => '');

async function untilLogHas(name: string, pattern: RegExp): Promise<string> {
  for (;;) {
    const found = pattern.exec(await logOf(name));
    if (found !== null) return found[1] ?? '';
    await delay(50);
  }
}

/** The processes of a session, as its first process' number tells them. */
const sessionOf = (pid: string) =>
  spawnSync('ps', ['-o', 'pid=', '-s', pid], { encoding: 'utf8' }).stdout.match(/\d+/g) ?? [];

/** All that makes up a node and what it runs, gone at once, as when its power fails. */
async function killNode(node: string, job: string): Promise<void> {
  const processes = spawnSync('ps', ['-eo', 'pid,ppid,args'], { encoding: 'utf8' }).stdout;
  const stepd =
    new RegExp(`^\\s*(\\d+) .*slurmstepd: \\[${job}\\.`, 'm').exec(processes)?.[1] ?? '';
  const children = [...processes.matchAll(new RegExp(`^\\s*(\\d+)\\s+${stepd} `, 'gm'))];
  const scripts = children.map(([, pid = '']) => pid);
  const programs = scripts.flatMap((script) => [
    ...processes.matchAll(new RegExp(`^\\s*(\\d+)\\s+${script} `, 'gm')),
  ]);
  const slurmd = (await readFile(join(clusterFolder, `slurmd-${node}.pid`), 'utf8')).trim();
  const sessions = programs.flatMap(([, pid = '']) => sessionOf(pid));
  spawnSync('kill', ['-KILL', slurmd, stepd, ...scripts, ...sessions]);
}

function startNode(node: string): void {
  const args = ['-D', '-N', node, '-f', configurationFile];
  spawn('slurmd', args, { stdio: 'ignore', detached: true }).unref();
}

/** Long enough for the service to see where the step runs. */
const COUNTING = { OPTION_LINES: '60', OPTION_PAUSE_MS: '100' };

describe('a job on a Slurm cluster', () => {
  it('is done by the built-in optimizer, as on the service’s own machine', async () => {
    await create('quantized');
    expect(await service.ended('quantized')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    expect((await reportOf(service, 'quantized')).steps[0]).toMatchObject({
      technique: 'quantization',
    });
    expect(await logOf('quantized')).toMatch(/submitted as Slurm job \d+/);
  });

  it('goes where its deployment instance type is configured to go', async () => {
    await create('placed', { instance: 'ml.p4d.24xlarge', ...acting('count', COUNTING) });
    expect(await service.ended('placed')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    expect(await logOf('placed')).toContain('on n2');
    expect((await reportOf(service, 'placed')).images).toMatchObject([
      { image: IMAGE, digest: null },
    ]);
    await expect(create('nowhere', { instance: 'ml.p5.48xlarge' })).rejects.toThrow(
      /no partition nowhere, which is configured for ml\.p5\.48xlarge/,
    );
  });

  it('stops a running job with SIGTERM', async () => {
    await create('stopped', acting('wait-for-term'));
    await untilLogHas('stopped', /acting/);
    const OptimizationJobName = 'stopped';
    await service.sagemaker.send(new StopOptimizationJobCommand({ OptimizationJobName }));
    expect(await service.ended('stopped')).toMatchObject({ OptimizationJobStatus: 'STOPPED' });
    expect(await logOf('stopped')).toContain('terminated politely');
  });

  it('goes on over a restart of the service', async () => {
    await create('adopted', acting('count', COUNTING));
    await untilLogHas('adopted', /line 5 of 60/);
    await service.restart();
    expect(await service.ended('adopted')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const log = await logOf('adopted');
    expect(log.match(/^line \d+ of 60$/gm)).toHaveLength(60);
    expect(log.match(/submitted as/g)).toHaveLength(1);
  });

  it('runs again on another node when its node dies', async () => {
    await create('survivor', acting('count', { OPTION_LINES: '100', OPTION_PAUSE_MS: '100' }));
    const job = await untilLogHas('survivor', /submitted as Slurm job (\d+)/);
    await untilLogHas('survivor', /line 5 of 100/);
    const node = await untilLogHas('survivor', /is running on (n\d)/);
    await killNode(node, job);
    expect(await service.ended('survivor')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const log = await logOf('survivor');
    expect(log).toMatch(/begun again 1 times/);
    expect(log.match(/^line 100 of 100$/gm)).toHaveLength(1);
    startNode(node);
  });
});
