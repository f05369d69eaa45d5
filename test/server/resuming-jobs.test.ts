import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  DeleteOptimizationJobCommand,
  StopOptimizationJobCommand,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { findProcesses } from '#burnish/executors/local-process/find-processes.js';
import { contentOf } from '../optimizer/resuming/support.js';
import { createCommand } from '../support/create-request.js';
import { holdStep } from '../support/hold-step.js';
import { type RunningService, startTestService } from '../support/running-service.js';

// Whole jobs, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const FIXTURES = fileURLToPath(new URL('../../fixtures', import.meta.url));
const SETTINGS = {
  OPTION_QUANTIZE: 'smoothquant',
  OPTION_CALIB_SIZE: '16',
  OPTION_CALIB_DATASET: 's3://models/calibration.txt',
  OPTION_EVALUATE: 'false',
};
const LAYERS = 28;

let service: RunningService;

beforeAll(async () => {
  service = await startTestService({ concurrentJobs: 1, stopGraceSeconds: 60 });
  const bucket = join(service.dataDir, 'buckets', 'models');
  await cp(join(FIXTURES, 'shakespeare-llama'), join(bucket, 'source'), { recursive: true });
  await cp(join(FIXTURES, 'shakespeare-llama-calibration.txt'), join(bucket, 'calibration.txt'));
});

afterAll(() => service.close());

const outputOf = (name: string) => join(service.dataDir, 'buckets', 'models', name);
const keptOf = (name: string) => join(service.dataDir, 'checkpoints', name);

async function create(
  name: string,
  output: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const command = createCommand({
    OptimizationJobName: name,
    OptimizationEnvironment: { ...SETTINGS, ...environment },
    OutputConfig: { S3OutputLocation: `s3://models/${output}` },
  });
  await service.sagemaker.send(command);
}

const stepFolder = (name: string) => join(service.dataDir, 'work', name, 'step-1');

/** Waits until a job has finished some layers, as its progress tells. */
async function untilLayers(name: string, count: number): Promise<void> {
  for (;;) {
    const text = await readFile(join(stepFolder(name), 'progress.jsonl'), 'utf8').catch(() => '');
    const layers = text.split('\n').filter((line) => line.includes('"layer":'));
    if (layers.length >= count) return;
    await delay(20);
  }
}

/** Waits until a stage of the model is on record as finished. */
async function untilOnRecord(name: string): Promise<void> {
  const list = join(service.dataDir, 'work', name, 'kept', 'step-1', 'own', 'finished.jsonl');
  while (!(await readFile(list, 'utf8').catch(() => '')).includes('"kind":"stage"')) {
    await delay(50);
  }
}

/** Stops a job that has finished some layers, before it finishes the others. */
async function stopAfterLayers(name: string, count: number): Promise<void> {
  await untilLayers(name, count);
  const goOn = await holdStep(service.dataDir, name);
  await service.sagemaker.send(new StopOptimizationJobCommand({ OptimizationJobName: name }));
  goOn();
}

async function finishedLayers(folder: string): Promise<number> {
  const report = JSON.parse(await readFile(join(folder, 'optimization-report.json'), 'utf8'));
  expect(report.complete).toBe(false);
  return report.steps.at(-1).layers.length;
}

describe('a job that was stopped', () => {
  it('leaves a partial model, and the next one goes on from it to the same bytes', async () => {
    await create('whole', 'whole');
    expect(await service.ended('whole')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });

    await create('first', 'out');
    await stopAfterLayers('first', 2);
    expect(await service.ended('first')).toMatchObject({ OptimizationJobStatus: 'STOPPED' });
    const partial = join(outputOf('out'), 'partial', 'first');
    expect(await readdir(outputOf('out'))).toEqual(['partial']);
    const layers = await finishedLayers(partial);
    expect(layers).toBeGreaterThan(0);
    expect(layers).toBeLessThan(LAYERS);
    expect(await readdir(keptOf('first'))).toEqual(['step-1']);

    await create('second', 'out', { OPTION_RESUME_FROM: 'first' });
    const second = await service.ended('second');
    expect(second.FailureReason).toBeUndefined();
    expect(second.OptimizationJobStatus).toBe('COMPLETED');
    const result = await contentOf(outputOf('out'));
    const expected = await contentOf(outputOf('whole'));
    expect([...result.keys()]).toEqual([...expected.keys()]);
    expect(await readdir(outputOf('out'))).toContain('partial');
    for (const [name, content] of expected) expect(result.get(name), name).toEqual(content);
    expect(await finishedLayers(partial)).toBe(layers);
    expect(await readdir(join(service.dataDir, 'checkpoints'))).toEqual([]);
    expect(await readdir(join(service.dataDir, 'work'))).toEqual([]);
  });
});

describe('a step that is killed', () => {
  it('fails its job, which can be gone on from', async () => {
    const slow = { OPTION_QUANTIZE: 'awq', OPTION_CALIB_SIZE: '48' };
    await create('killed', 'killed', slow);
    await untilOnRecord('killed');
    for (const pid of await findProcesses(
      'BURNISH_STEP_FILE',
      join(stepFolder('killed'), 'step.json'),
    )) {
      process.kill(-pid, 'SIGKILL');
    }
    const job = await service.ended('killed');
    expect(job.FailureReason).toContain('SIGKILL');
    expect(job.OptimizationJobStatus).toBe('FAILED');
    await expect(readdir(outputOf('killed'))).rejects.toThrow('ENOENT');
    await create('after', 'killed', { ...slow, OPTION_RESUME_FROM: 'killed' });
    expect(await service.ended('after')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const log = join(service.dataDir, 'logs', 'after', '1-quantization.log');
    expect(await readFile(log, 'utf8')).toMatch(/going on from [1-9]\d* finished layers/);
  });
});

describe('OPTION_RESUME_FROM', () => {
  beforeAll(async () => {
    await create('halted', 'halted');
    await stopAfterLayers('halted', 2);
    await service.ended('halted');
  });

  it.each([
    [{ OPTION_RESUME_FROM: 'nobody' }, 'there is no optimization job nobody'],
    [{ OPTION_RESUME_FROM: 'whole' }, 'whole is COMPLETED'],
    [
      { OPTION_RESUME_FROM: 'halted', OPTION_CALIB_SIZE: '8' },
      'its OPTION_CALIB_SIZE is 16, and here it is 8',
    ],
    [
      { OPTION_RESUME_FROM: 'halted', OPTION_QUANTIZE: 'awq' },
      'its OPTION_QUANTIZE is smoothquant, and here it is awq',
    ],
    [{ OPTION_RESUME_FROM: 'first' }, 'nothing is kept of the optimization job first'],
  ])('%j is refused', async (environment, reason) => {
    await expect(create('refused', 'refused', environment)).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringContaining(reason),
    });
  });

  it('has nothing to go on from when the job is deleted', async () => {
    expect(await readdir(keptOf('halted'))).toEqual(['step-1']);
    await service.sagemaker.send(
      new DeleteOptimizationJobCommand({ OptimizationJobName: 'halted' }),
    );
    await expect(readdir(keptOf('halted'))).rejects.toThrow('ENOENT');
  });
});
