import { execFile } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCommand } from '../support/create-request.js';
import { INTEROP_PYTHON } from '../support/interop-python.js';
import { type RunningService, startTestService } from '../support/running-service.js';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const FIXTURES = join(here, '..', '..', 'fixtures');
const MODEL = join(FIXTURES, 'shakespeare-llama');
const HELD_OUT = join(FIXTURES, 'shakespeare-llama-heldout.txt');

/** The source's perplexity on the held-out text, by two forward passes that are not ours. */
const SOURCE_PERPLEXITY = 26.45;

const TECHNIQUES = [
  ['int4', { OPTION_QUANTIZE: 'rtn' }],
  ['int4-zero-point', { OPTION_QUANTIZE: 'rtn', OPTION_RTN_ZERO_POINT: 'true' }],
  ['int8-weights', { OPTION_QUANTIZE: 'rtn', OPTION_RTN_WEIGHT_BIT_WIDTH: '8' }],
  ['fp8', { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' }],
  ['int8', { OPTION_QUANTIZE: 'int8' }],
] as const;

/** The most that rounding to 4 bits may cost; done by hand with numpy it costs 0.08. */
const MAX_INT4_COST = 0.15;

describe.skipIf(INTEROP_PYTHON === undefined)('results read by others', () => {
  const python = INTEROP_PYTHON ?? '';
  let service: RunningService;

  beforeAll(async () => {
    service = await startTestService();
    await cp(MODEL, join(service.dataDir, 'buckets', 'models', 'source'), { recursive: true });
  });

  afterAll(() => service.close());

  async function optimize(name: string, settings: Readonly<Record<string, string>>) {
    const command = createCommand({
      OptimizationJobName: name,
      OptimizationEnvironment: { ...settings, OPTION_EVALUATE: 'false' },
      OutputConfig: { S3OutputLocation: `s3://models/${name}` },
      DeploymentInstanceType: 'ml.g6.xlarge',
    });
    await service.sagemaker.send(command);
    expect((await service.ended(name)).FailureReason).toBeUndefined();
    return join(service.dataDir, 'buckets', 'models', name);
  }

  it.each(TECHNIQUES)('%s: numpy finds the source in it', async (name, settings) => {
    const output = await optimize(name, settings);
    const checked = await run(python, [join(here, 'check_checkpoint.py'), MODEL, output]);
    console.log(name, checked.stdout.trim());
    expect(JSON.parse(checked.stdout)).toMatchObject({ quantized: 28, untouched: 11 });
  });

  it('Transformers loads a result as it stands, and finds it nearly as good', async () => {
    const output = await optimize('loaded', { OPTION_QUANTIZE: 'rtn' });
    const script = join(here, 'load_with_transformers.py');
    const loaded = await run(python, [script, MODEL, output, HELD_OUT]);
    const { perplexitySource, perplexityOutput } = JSON.parse(
      loaded.stdout.slice(loaded.stdout.lastIndexOf('\n{') + 1),
    ) as { perplexitySource: number; perplexityOutput: number };
    console.log({ perplexitySource, perplexityOutput });
    expect(perplexitySource).toBeCloseTo(SOURCE_PERPLEXITY, 1);
    expect(perplexityOutput).not.toBe(perplexitySource);
    expect(perplexityOutput - perplexitySource).toBeLessThan(MAX_INT4_COST);
  });
});
