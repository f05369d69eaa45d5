import { cp, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OptimizationConfig } from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningService, reportOf, startTestService } from '../support/running-service.js';

const MODEL = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));

let service: RunningService;

beforeAll(async () => {
  service = await startTestService();
  await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
});

afterAll(() => service.close());

interface Job {
  readonly name: string;
  readonly configs: OptimizationConfig[];
  readonly instance?: 'ml.g5.xlarge' | 'ml.inf2.24xlarge';
  readonly environment?: Record<string, string>;
  readonly seconds?: number;
}

function create({ name, configs, instance = 'ml.g5.xlarge', environment, seconds }: Job) {
  return service.create(name, {
    DeploymentInstanceType: instance,
    OptimizationEnvironment: environment,
    OptimizationConfigs: configs,
    StoppingCondition: { MaxRuntimeInSeconds: seconds },
  });
}

const compilation = (environment: Record<string, string> = {}): OptimizationConfig => ({
  ModelCompilationConfig: { OverrideEnvironment: environment },
});

const quantization = (environment: Record<string, string>): OptimizationConfig => ({
  ModelQuantizationConfig: {
    OverrideEnvironment: { OPTION_EVALUATE: 'false', ...environment },
  },
});

describe('a compilation job', () => {
  it('publishes a graph, measured beside the fp32 one, and what it takes where it is deployed', async () => {
    await create({
      name: 'compiled',
      configs: [compilation({ OPTION_DTYPE: 'int8', OPTION_N_POSITIONS: '128' })],
      environment: { OPTION_MAX_ROLLING_BATCH_SIZE: '4' },
    });
    expect(await service.ended('compiled')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const files = await readdir(service.outputOf('compiled'));
    expect(files).toEqual(
      expect.arrayContaining([
        'genai_config.json',
        'model.onnx',
        'model.onnx.data',
        'tokenizer.json',
      ]),
    );
    expect(files).not.toContain('model.safetensors');
    const [step] = (await reportOf(service, 'compiled')).steps;
    expect(step.technique).toBe('compilation');
    expect(step.memory).toMatchObject({
      positions: 128,
      batch: 4,
      // Two of four key/value heads of 32 in each of four blocks, f32.
      cacheBytes: 128 * 4 * (2 * 4 * 32 * 4) * 4,
      fits: true,
      deployment: { instanceType: 'ml.g5.xlarge' },
    });
    const { compiled, baseline } = step.measured;
    for (const graph of [compiled, baseline]) {
      expect(graph.generationTokensPerSecond).toBeGreaterThan(0);
      expect(graph.promptTokensPerSecond).toBeGreaterThan(0);
      expect(graph.peakMemoryBytes).toBeGreaterThan(graph.bytes);
    }
    expect(compiled.bytes).toBeLessThan(baseline.bytes / 2);
    expect(compiled.perplexity / baseline.perplexity).toBeCloseTo(1, 1);
  });

  it('keeps the codes of a quantization before it', async () => {
    const environment = { OPTION_QUANTIZE: 'rtn', OPTION_COMPILE_MEASURE: 'false' };
    await create({ name: 'both', configs: [quantization({}), compilation()], environment });
    expect(await service.ended('both')).toMatchObject({ OptimizationJobStatus: 'COMPLETED' });
    const { steps } = await reportOf(service, 'both');
    expect(steps.map((step: { technique: string }) => step.technique)).toEqual([
      'quantization',
      'compilation',
    ]);
    expect(steps[1].graph).toMatchObject({ dtype: 'int4', keptLayers: 28 });
  });

  it.each([
    ['for a Neuron instance', { instance: 'ml.inf2.24xlarge' }, {}, /Image of a Neuron compiler/],
    ['of FP8', {}, { OPTION_DTYPE: 'fp8' }, /Image of a TensorRT-LLM compiler/],
    [
      'for TensorRT-LLM',
      {},
      { OPTION_ROLLING_BATCH: 'trtllm' },
      /OPTION_ROLLING_BATCH asks for TensorRT-LLM.*Image of a TensorRT-LLM compiler/,
    ],
    ['with an unknown type', {}, { OPTION_DTYPE: 'int3' }, /OPTION_DTYPE is "int3"/],
    [
      'with a setting that is none',
      {},
      { OPTION_COMPILE_LEVEL: '1' },
      /OPTION_COMPILE_LEVEL is not a setting of compilation; those are OPTION_DTYPE/,
    ],
    [
      'with a setting of quantization',
      {},
      { OPTION_QUANTIZE: 'smoothquant' },
      /OPTION_QUANTIZE is a setting of quantization; give the job a ModelQuantizationConfig/,
    ],
  ] as const)('without an image is refused %s', async (_, change, environment, message) => {
    await expect(
      create({ name: 'refused', configs: [compilation({ ...environment })], ...change }),
    ).rejects.toThrow(message);
  });

  it('is refused before quantization, after FP8, and after codes of three bits', async () => {
    const three = quantization({ OPTION_QUANTIZE: 'rtn', OPTION_RTN_WEIGHT_BIT_WIDTH: '3' });
    await expect(create({ name: 'refused', configs: [three, compilation()] })).rejects.toThrow(
      /OPTION_RTN_WEIGHT_BIT_WIDTH=3 cannot be compiled/,
    );
    const fp8 = quantization({ OPTION_QUANTIZE: 'fp8' });
    await expect(create({ name: 'refused', configs: [compilation(), fp8] })).rejects.toThrow(
      /Compilation must be the last/,
    );
    await expect(create({ name: 'refused', configs: [fp8, compilation()] })).rejects.toThrow(
      /OPTION_QUANTIZE=fp8 cannot be compiled/,
    );
  });
});
