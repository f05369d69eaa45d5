import { mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { OptimizationConfig } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { llama, writeModel } from '../checkpoint/synthetic.js';
import { contentOf } from '../optimizer/resuming/support.js';
import { holdStepIn, untilToldToStop } from '../support/hold-step.js';
import { killFirstStep } from '../support/kill-step.js';
import { type RunningService, startTestService } from '../support/running-service.js';

// Whole jobs, on a machine that may be busy.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** So many tensors that a step is at them for seconds, though the model is small. */
const { config: sizes, tensors } = llama({ layers: 160, hidden: 256, intermediate: 512 });
const MODEL = { config: { ...sizes, max_position_embeddings: 256, eos_token_id: 2 }, tensors };

interface StreamedWork {
  readonly technique: string;
  readonly phase: string;
  readonly config: OptimizationConfig;
}

const WORK: readonly StreamedWork[] = [
  {
    technique: 'sharding',
    phase: 'sharding',
    config: {
      ModelShardingConfig: { OverrideEnvironment: { OPTION_TENSOR_PARALLEL_DEGREE: '2' } },
    },
  },
  {
    technique: 'compilation',
    phase: 'compiling',
    config: {
      ModelCompilationConfig: {
        OverrideEnvironment: { OPTION_DTYPE: 'int8', OPTION_COMPILE_MEASURE: 'false' },
      },
    },
  },
];

let service: RunningService;

beforeAll(async () => {
  service = await startTestService({
    concurrentJobs: 1,
    stopGraceSeconds: 60,
    file: { shutdown: { runningJobs: 'stop' } },
  });
  const bucket = join(service.dataDir, 'buckets', 'models');
  await mkdir(bucket, { recursive: true });
  await rename(await writeModel(MODEL), join(bucket, 'source'));
});

afterAll(() => service.close());

describe.each(WORK)('a $technique job', ({ technique, phase, config }) => {
  const create = (name: string, output: string, environment: Record<string, string> = {}) =>
    service.create(name, {
      DeploymentInstanceType: 'ml.g5.12xlarge',
      OptimizationEnvironment: environment,
      OptimizationConfigs: [config],
      OutputConfig: { S3OutputLocation: `s3://models/${output}` },
    });

  /** Of each attempt that went on from finished tensors: from how many, and of how many. */
  async function resumptions(name: string): Promise<readonly (readonly number[])[]> {
    const log = join(service.dataDir, 'logs', name, `1-${technique}.log`);
    const found = (await readFile(log, 'utf8')).matchAll(
      /going on from (\d+) finished tensors of (\d+)/g,
    );
    return [...found].map(([, finished, all]) => [Number(finished), Number(all)]);
  }

  it('that the service stops, and that is killed then, goes on to the same bytes', async () => {
    const whole = `${technique}-whole`;
    await create(whole, whole);
    const undisturbed = await service.ended(whole);
    expect(undisturbed.FailureReason).toBeUndefined();
    expect(undisturbed.OptimizationJobStatus).toBe('COMPLETED');

    const broken = `${technique}-broken`;
    const result = `${technique}-result`;
    await create(broken, result);
    const stop = await holdStepIn(service.dataDir, broken, phase);
    const restarted = service.restart();
    await untilToldToStop(service.dataDir, broken);
    stop();
    await restarted;

    await holdStepIn(service.dataDir, broken, phase);
    const [[first = 0, all = 0] = []] = await resumptions(broken);
    expect(first).toBeGreaterThan(0);
    expect(first).toBeLessThan(all);
    await killFirstStep(service.dataDir, broken);
    const ended = await service.ended(broken);
    expect(ended.FailureReason).toContain('SIGKILL');
    expect(ended.OptimizationJobStatus).toBe('FAILED');
    await expect(readdir(service.outputOf(result))).rejects.toThrow('ENOENT');

    const after = `${technique}-after`;
    await create(after, result, { OPTION_RESUME_FROM: broken });
    const last = await service.ended(after);
    expect(last.FailureReason).toBeUndefined();
    expect(last.OptimizationJobStatus).toBe('COMPLETED');
    const [[finished = 0] = []] = await resumptions(after);
    expect(finished).toBeGreaterThanOrEqual(first);
    expect(finished).toBeLessThan(all);
    const content = await contentOf(service.outputOf(result));
    const expected = await contentOf(service.outputOf(whole));
    expect([...content.keys()]).toEqual([...expected.keys()]);
    for (const [name, bytes] of expected) expect(content.get(name), name).toEqual(bytes);
    expect(await readdir(join(service.dataDir, 'checkpoints'))).toEqual([]);
    expect(await readdir(join(service.dataDir, 'work'))).toEqual([]);
  });
});
