import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { optimize, readReport } from '../running-optimizer.js';
import { EXPERTS, randomMixture } from './random-mixture.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const MODEL = join(FIXTURES, 'shakespeare-llama');

const run = async (input: string, environment: Readonly<Record<string, string>>) =>
  optimize(input, {
    step: {
      technique: 'quantization',
      environment: {
        OPTION_CALIB_SIZE: '2',
        OPTION_CALIB_DATASET: 's3://texts/calibration.txt',
        OPTION_EVALUATE: 'false',
        ...environment,
      },
      datasets: { OPTION_CALIB_DATASET: join(FIXTURES, 'shakespeare-llama-calibration.txt') },
    },
  });

describe('a mixture of experts', { timeout: 300_000 }, () => {
  it.each([
    { OPTION_QUANTIZE: 'awq', OPTION_AWQ_BLOCK_SIZE: '32' },
    { OPTION_QUANTIZE: 'gptaq', OPTION_GPTAQ_BLOCK_SIZE: '32' },
  ])('is quantized with %j, but for its routers', async (settings) => {
    const result = await run(await randomMixture(), settings);
    expect(result.error).toBeUndefined();
    const step = (await readReport(result.output)).steps.at(-1);
    if (step?.technique !== 'quantization') throw new Error('the report has no such step');
    expect(step.layers).toHaveLength(2 * (4 + 3 * EXPERTS));
    for (const { error } of step.layers) expect(error.output).toBeLessThan(0.3);
    expect(step.unquantized.map(({ module }) => module)).toContain(
      'model.layers.1.block_sparse_moe.gate',
    );
  });

  it('keeps its output layer: a calibrated technique says that it cannot take it', async () => {
    const result = await run(MODEL, {
      OPTION_QUANTIZE: 'gptaq',
      OPTION_GPTAQ_IGNORE_LAYERS: '',
    });
    expect(result.status).toBe(1);
    expect(result.error).toContain(
      'the layer lm_head is not part of the model’s forward pass, so it cannot be calibrated; name it in the technique’s ignore list',
    );
  });
});
