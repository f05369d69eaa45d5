import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OptimizationConfig } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningService, reportOf, startTestService } from '../support/running-service.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));

let service: RunningService;

beforeAll(async () => {
  service = await startTestService({ concurrentJobs: 1 });
  await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
});

afterAll(() => service.close());

interface Job {
  readonly name: string;
  readonly configs: OptimizationConfig[];
  readonly instance?: 'ml.g5.xlarge' | 'ml.g5.12xlarge' | 'ml.inf2.24xlarge';
  readonly environment?: Record<string, string>;
}

function create({ name, configs, instance = 'ml.g5.12xlarge', environment }: Job) {
  return service.create(name, {
    DeploymentInstanceType: instance,
    OptimizationEnvironment: environment,
    OptimizationConfigs: configs,
  });
}

const shardingBy = (degree: string, more: Record<string, string> = {}): OptimizationConfig => ({
  ModelShardingConfig: { OverrideEnvironment: { OPTION_TENSOR_PARALLEL_DEGREE: degree, ...more } },
});

describe('a sharding job', () => {
  it('publishes vLLM’s sharded state, and tells the deployment instance', async () => {
    await create({ name: 'shards', configs: [shardingBy('2')] });
    expect(await service.ended('shards')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const files = await readdir(service.outputOf('shards'));
    expect(files).toContain('model-rank-1-part-0.safetensors');
    expect(files).not.toContain('model.safetensors');
    const [step] = (await reportOf(service, 'shards')).steps;
    expect(step.deployment).toEqual({
      instanceType: 'ml.g5.12xlarge',
      accelerator: 'NVIDIA A10G',
      count: 4,
      memoryGb: 24,
    });
    expect(step.ranks).toMatchObject([{ fits: true }, { fits: true }]);
  });

  it('runs behind quantization, on its result, in chunks', async () => {
    await create({
      name: 'both',
      environment: { OPTION_TENSOR_PARALLEL_DEGREE: '2', OPTION_RTN_BLOCK_SIZE: '32' },
      configs: [
        {
          ModelQuantizationConfig: {
            OverrideEnvironment: { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
          },
        },
        { ModelShardingConfig: {} },
      ],
    });
    expect(await service.ended('both')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const { steps } = await reportOf(service, 'both');
    expect(steps.map(({ technique }: { technique: string }) => technique)).toEqual([
      'quantization',
      'sharding',
    ]);
    expect(steps[1].model.quantization).toBe('compressed-tensors');
    expect(steps[1].layout.name).toBe('chunked');
    expect(await readdir(service.outputOf('both'))).toContain('model-pp-0-tp-1.chunks');
  });

  it('fails with the numbers at a degree that the model can’t take', async () => {
    await create({
      name: 'odd',
      configs: [shardingBy('3', { OPTION_SHARD_LAYOUT: 'chunked' })],
    });
    const ended = await service.ended('odd');
    expect(ended.OptimizationJobStatus).toBe('FAILED');
    expect(ended.FailureReason).toMatch(
      /3 does not divide the model’s 4 key\/value heads, 8 attention heads.* 2 and 4/,
    );
  });

  it.each<readonly [string, Omit<Job, 'name'>, RegExp]>([
    [
      'more ranks than accelerators',
      { configs: [shardingBy('2')], instance: 'ml.g5.xlarge' },
      /make 2 ranks, one for each accelerator, but DeploymentInstanceType ml\.g5\.xlarge has 1/,
    ],
    [
      'more stages and ranks than accelerators',
      { configs: [shardingBy('4', { OPTION_PIPELINE_PARALLEL_DEGREE: '2' })] },
      /make 8 ranks, one for each accelerator, but DeploymentInstanceType ml\.g5\.12xlarge has 4/,
    ],
    [
      'Neuron devices',
      { configs: [shardingBy('2')], instance: 'ml.inf2.24xlarge' },
      /does not load sharded models/,
    ],
    ['a degree that is none', { configs: [shardingBy('many')] }, /must be a whole number/],
    [
      'settings of quantization without that step',
      { configs: [shardingBy('2', { OPTION_QUANTIZE: 'rtn' })] },
      /quantize in a step before this one/,
    ],
  ])('is refused at creation for %s', async (_, job, expected) => {
    await expect(create({ name: 'refused', ...job })).rejects.toMatchObject({
      name: 'ValidationException',
      message: expect.stringMatching(expected),
    });
  });
});
