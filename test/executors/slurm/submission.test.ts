import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StepRequest } from '#burnish/executors/executor.js';
import { batchScript } from '#burnish/executors/slurm/batch-script.js';
import { CONTAINER_RUNTIMES } from '#burnish/executors/slurm/container-runtimes.js';
import { exitOfJob } from '#burnish/executors/slurm/job-state.js';
import { submissionArguments } from '#burnish/executors/slurm/submission.js';
import { createStepFolders, stepFolders } from '#burnish/executors/step-folders.js';
import { TEST_SLURM_OPTIONS } from '../../support/slurm/test-cluster.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const NOW = Date.UTC(2026, 0, 1);

let folder: string;
let request: StepRequest;

beforeEach(async () => {
  folder = temporaryFolder('submission');
  const folders = stepFolders(folder, 0);
  await createStepFolders(folders);
  request = {
    job: 'job-1',
    step: 1,
    technique: 'quantization',
    environment: {},
    deployment: { instanceType: 'ml.p4d.24xlarge', accelerator: 'A100', count: 8, memoryGb: 40 },
    datasets: {},
    inputFolder: '/models/source',
    folders,
    logFile: '/data/100%/log',
    deadline: NOW + 90_000,
    graceMs: 120_000,
  };
});

const argumentsFor = (change: Partial<StepRequest>, options = TEST_SLURM_OPTIONS) =>
  submissionArguments({ ...request, ...change }, options, '/batch.sh', NOW);

describe('submissionArguments', () => {
  it('sets Slurm’s limit behind the deadline and the time to save, in whole minutes', () => {
    expect(argumentsFor({})).toEqual(
      expect.arrayContaining(['--time=5', '--signal=B:TERM@120', '--job-name=burnish-job-1-2']),
    );
    expect(argumentsFor({ deadline: NOW - 1 })).toContain('--time=3');
  });

  it('asks for what the step is expected to need', () => {
    const resources = { cores: 3.2, memoryBytes: 2 ** 30 + 1, gpus: 2 };
    expect(argumentsFor({ resources })).toEqual(
      expect.arrayContaining(['--cpus-per-task=4', '--mem=1025M', '--gres=gpu:2']),
    );
    expect(argumentsFor({})).toEqual(expect.arrayContaining(['--cpus-per-task=1', '--mem=500M']));
  });

  it('places a job by its deployment instance type; the first entry that fits holds', () => {
    const placements = [
      { instanceType: 'ml.p4d*', partition: 'gpu', constraint: 'a100', gres: 'gpu:a100:1' },
      { instanceType: '*', partition: 'cpu' },
    ];
    const options = { ...TEST_SLURM_OPTIONS, placements };
    expect(argumentsFor({ resources: { gpus: 4 } }, options)).toEqual(
      expect.arrayContaining(['--partition=gpu', '--constraint=a100', '--gres=gpu:a100:1']),
    );
    const deployment = { ...request.deployment, instanceType: 'ml.g5.xlarge' };
    expect(argumentsFor({ deployment }, options)).toContain('--partition=cpu');
  });

  it('keeps Slurm from reading patterns into a path', () => {
    expect(argumentsFor({})).toContain('--output=/data/100%%/log');
  });
});

describe('batchScript', () => {
  const run = (command: readonly string[], more: Record<string, string> = {}) => {
    const program = {
      prepare: undefined,
      command,
      environment: { PATH: '/usr/bin:/bin', ...more },
    };
    return spawnSync('sh', ['-c', batchScript(request.folders, program)], {
      env: { PATH: '/usr/bin:/bin', SECRET: 'secret', SLURM_RESTART_COUNT: '1' },
      encoding: 'utf8',
    });
  };

  it('notes the exit status, and gives the program the environment that it is meant to have', async () => {
    const hostile = `it's $HOME "\`id\`" \\ \n end`;
    const { status, stdout } = run(['sh', '-c', 'printf %s "$1"; env; exit 7', '-', hostile], {
      OPTION_A: hostile,
    });
    expect(status).toBe(7);
    expect(await readFile(request.folders.exitFile, 'utf8')).toBe('7');
    expect(stdout.startsWith(hostile)).toBe(true);
    expect(stdout).toContain(`OPTION_A=${hostile}`);
    expect(stdout).not.toContain('SECRET');
  });

  it('begins with an empty result when it runs again', async () => {
    const leftover = join(request.folders.output, 'leftover');
    await writeFile(leftover, '');
    run(['true']);
    expect(existsSync(leftover)).toBe(false);
    expect(existsSync(request.folders.output)).toBe(true);
  });
});

describe('CONTAINER_RUNTIMES', () => {
  const container = {
    program: '/bin/runtime',
    image: 'r.example:5000/a/b:1',
    environment: { OPTION_A: 'a b' },
    mounts: [{ source: '/in', target: '/opt/ml/model/input', readOnly: true }],
    hasGpus: true,
    extraArguments: ['--net'],
    scratch: '/scratch',
  };

  it('runs an image with Apptainer', () => {
    const { apptainer } = CONTAINER_RUNTIMES;
    expect(apptainer.prepare(container)).toBeUndefined();
    expect(apptainer.command(container)).toEqual([
      ...['/bin/runtime', 'run', '--containall', '--no-home'],
      ...['--bind', '/in:/opt/ml/model/input:ro', '--nv', '--net'],
      'docker://r.example:5000/a/b:1',
    ]);
    expect(apptainer.environment(container)).toEqual({ APPTAINERENV_OPTION_A: 'a b' });
  });

  it('runs an image with Enroot', () => {
    const { enroot } = CONTAINER_RUNTIMES;
    expect(enroot.prepare(container)).toEqual([
      ...['/bin/runtime', 'import', '--output', '/scratch/image.sqsh'],
      'docker://r.example:5000#a/b:1',
    ]);
    expect(enroot.command(container)).toEqual([
      ...['/bin/runtime', 'start', '--mount', '/in:/opt/ml/model/input:x-create=dir,rbind,ro'],
      ...['--env', 'OPTION_A=a b', '--net', '/scratch/image.sqsh'],
    ]);
  });
});

describe('exitOfJob', () => {
  const job = { state: 'FAILED', reason: 'x', nodes: 'n1', exitCode: '0:0', restarts: 0 };

  it.each([
    [{ state: 'NODE_FAIL' }, /node n1 died/],
    [{ state: 'TIMEOUT' }, /own time limit/],
    [{ state: 'OUT_OF_MEMORY' }, /more memory/],
    [{ state: 'CANCELLED', exitCode: '0:15' }, /was cancelled/],
    [{ exitCode: '0:9' }, /signal 9 on n1/],
  ])('says what %j means', (change, reason) => {
    const exit = exitOfJob({ ...job, ...change });
    expect(exit.code).toBeUndefined();
    expect(exit.reason).toMatch(reason);
  });

  it('takes an exit status at its word, but a failure never for a success', () => {
    expect(exitOfJob({ ...job, exitCode: '3:0' }).code).toBe(3);
    expect(exitOfJob({ ...job, state: 'COMPLETED' }).code).toBe(0);
    expect(exitOfJob(job).code).toBeUndefined();
  });
});
