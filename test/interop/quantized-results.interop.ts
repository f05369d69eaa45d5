import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  CreateOptimizationJobCommand,
  type CreateOptimizationJobCommandInput,
} from '@aws-sdk/client-sagemaker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRequest } from '../support/create-request.js';
import { INTEROP_PYTHON } from '../support/interop-python.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const FIXTURES = join(here, '..', '..', 'fixtures');
const MODEL = join(FIXTURES, 'shakespeare-llama');
const HELD_OUT = join(FIXTURES, 'shakespeare-llama-heldout.txt');

/** The source's perplexity on the held-out text, by two forward passes that are not ours. */
const SOURCE_PERPLEXITY = 26.45;

/**
 * What each technique may cost on this model; rounding to 4 bits by hand costs 0.08 and 0.09.
 * compressed-tensors itself loads packed zero points only when it decodes them on loading.
 */
const TECHNIQUES = [
  ['int4', { OPTION_QUANTIZE: 'rtn' }, 0.15],
  [
    'int4-zero-point',
    { OPTION_QUANTIZE: 'rtn', OPTION_RTN_ZERO_POINT: 'true' },
    0.15,
    '--dequantize',
  ],
  ['int8-weights', { OPTION_QUANTIZE: 'rtn', OPTION_RTN_WEIGHT_BIT_WIDTH: '8' }, 0.02],
  ['fp8', { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' }, 0.15],
  ['int8', { OPTION_QUANTIZE: 'int8' }, 0.15],
] as const;

describe.skipIf(INTEROP_PYTHON === undefined)('results read by others', () => {
  const python = INTEROP_PYTHON ?? '';
  let service: RunningService;

  beforeAll(async () => {
    service = await startTestService();
    await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
  });

  afterAll(() => service.close());

  it.each(TECHNIQUES)(
    '%s: numpy finds the source in it, Transformers runs it',
    async (name, settings, cost, flag?: string) => {
      const request = createRequest({
        OptimizationJobName: name,
        OptimizationEnvironment: { ...settings, OPTION_EVALUATE: 'false' },
        OutputConfig: { S3OutputLocation: `s3://models/${name}` },
        DeploymentInstanceType: 'ml.g6.xlarge',
      });
      await service.sagemaker.send(
        new CreateOptimizationJobCommand(request as unknown as CreateOptimizationJobCommandInput),
      );
      expect((await service.ended(name)).FailureReason).toBeUndefined();
      const output = join(service.dataDir, 'buckets', 'models', name);

      const checked = await run(python, [join(here, 'check_checkpoint.py'), MODEL, output]);
      console.log(name, checked.stdout.trim());

      const script = join(here, 'load_with_transformers.py');
      const options = flag === undefined ? [] : [flag];
      const loaded = await run(python, [script, MODEL, output, HELD_OUT, ...options]);
      const { perplexitySource, perplexityOutput } = JSON.parse(
        loaded.stdout.slice(loaded.stdout.lastIndexOf('\n{') + 1),
      ) as { perplexitySource: number; perplexityOutput: number };
      console.log(name, { perplexitySource, perplexityOutput });
      expect(perplexitySource).toBeCloseTo(SOURCE_PERPLEXITY, 1);
      expect(perplexityOutput - perplexitySource).toBeLessThan(cost);
      expect(perplexityOutput).not.toBe(perplexitySource);
    },
  );
});
