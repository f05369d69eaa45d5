import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { QuantizationStepReport } from '#burnish/optimizer/report/types.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { optimize, readReport } from '../running-optimizer.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const MODEL = join(FIXTURES, 'shakespeare-llama');
const DATASETS = {
  OPTION_CALIB_DATASET: join(FIXTURES, 'shakespeare-llama-calibration.txt'),
  OPTION_EVAL_DATASET: join(FIXTURES, 'shakespeare-llama-heldout.txt'),
};
const SMALL = {
  OPTION_CALIB_SIZE: '4',
  OPTION_CALIB_DATASET: 's3://texts/calibration.txt',
  OPTION_EVAL_DATASET: 's3://texts/held-out.txt',
  OPTION_EVAL_TOKENS: '512',
};

async function run(environment: Readonly<Record<string, string>>, input = MODEL) {
  return optimize(input, {
    step: { technique: 'quantization', environment, datasets: DATASETS },
  });
}

async function stepOf(output: string): Promise<QuantizationStepReport> {
  const step = (await readReport(output)).steps.at(-1);
  if (step?.technique !== 'quantization') throw new Error('the report has no such step');
  return step;
}

async function digest(output: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of (await readdir(output)).sort()) {
    if (name === 'optimization-report.json') continue;
    hash.update(name).update(await readFile(join(output, name)));
  }
  return hash.digest('hex');
}

describe('a calibrated job', { timeout: 300_000 }, () => {
  it.each([
    [{ OPTION_QUANTIZE: 'awq' }, 'awq', 'qweight', 1.05],
    [{ OPTION_QUANTIZE: 'gptq' }, 'gptq', 'g_idx', 1.05],
    [
      { OPTION_QUANTIZE: 'gptq', OPTION_GPTQ_FORMAT: 'compressed-tensors' },
      'compressed-tensors',
      'weight_packed',
      1.05,
    ],
    [{ OPTION_QUANTIZE: 'gptaq' }, 'gptq', 'g_idx', 1.05],
    [{ OPTION_QUANTIZE: 'smoothquant' }, 'compressed-tensors', 'weight_scale', 1.01],
    [{ OPTION_QUANTIZE: 'fp8' }, 'compressed-tensors', 'input_scale', 1.01],
  ])('%j', async (settings, method, tensor, largestRatio) => {
    const result = await run({ ...SMALL, ...settings });
    expect(result.error).toBeUndefined();
    const step = await stepOf(result.output);
    expect(step.format.method).toBe(method);
    expect(step.layers).toHaveLength(28);
    for (const { error } of step.layers) {
      expect(error.output).toBeGreaterThan(0);
      expect(error.output).toBeLessThan(0.15);
    }
    expect(step.calibration).toMatchObject({ samples: 4, tokens: 1024, longestSample: 256 });
    expect(step.evaluation).toMatchObject({ tokens: 511, window: 256 });
    expect(step.evaluation?.ratio).toBeGreaterThan(0.95);
    expect(step.evaluation?.ratio).toBeLessThan(largestRatio);
    const weights = await readFile(join(result.output, 'model.safetensors'));
    expect(weights.includes(`model.layers.0.mlp.down_proj.${tensor}`)).toBe(true);
    const properties = await readFile(join(result.output, 'serving.properties'), 'utf8');
    expect(properties).toContain(`option.quantize=${method}\n`);
  });

  it.each(['awq', 'gptaq'])('gives the same bytes every time, for %s', async (technique) => {
    const settings = { ...SMALL, OPTION_QUANTIZE: technique, OPTION_EVALUATE: 'false' };
    const quiet = Object.fromEntries(
      Object.entries(settings).filter(([k]) => !k.includes('EVAL_')),
    );
    const first = await run(quiet);
    const second = await run({ ...quiet, OPTION_CALIB_THREADS: '1' });
    expect((await stepOf(second.output)).calibration).toMatchObject({ threads: 1 });
    expect(await digest(second.output)).toBe(await digest(first.output));
  });

  it('calibrates with bundled text where none is named', async () => {
    const result = await run({
      OPTION_QUANTIZE: 'fp8',
      OPTION_CALIB_SIZE: '2',
      OPTION_EVALUATE: 'false',
    });
    const { calibration, evaluation, notes } = await stepOf(result.output);
    expect(calibration).toMatchObject({ samples: 2, text: expect.stringContaining('WikiText-2') });
    expect(evaluation).toBeNull();
    expect(notes).toContain('Perplexity was not measured: OPTION_EVALUATE is false.');
  });

  it('fails rather than publish a model that is worse than allowed', async () => {
    const result = await run({
      OPTION_QUANTIZE: 'rtn',
      OPTION_RTN_BLOCK_SIZE: '-1',
      OPTION_EVAL_DATASET: SMALL.OPTION_EVAL_DATASET,
      OPTION_EVAL_TOKENS: '2048',
      OPTION_MAX_PERPLEXITY_INCREASE: '1.0001',
    });
    expect(result.status).toBe(1);
    expect(result.error).toMatch(/^perplexity rose from \d+\.\d+ to \d+\.\d+, 1\.\d+ times/);
    expect(await readdir(result.output)).toEqual([]);
  });

  it('needs a model whose forward pass is known, and says which are', async () => {
    const input = join(temporaryFolder(), 'model');
    await cp(MODEL, input, { recursive: true });
    const config = JSON.parse(await readFile(join(input, 'config.json'), 'utf8'));
    await rm(join(input, 'config.json'));
    await writeFile(
      join(input, 'config.json'),
      JSON.stringify({ ...config, model_type: 'quite_new' }),
    );
    const refused = await run({ ...SMALL, OPTION_QUANTIZE: 'gptq' }, input);
    expect(refused.error).toContain('models of the type quite_new is not known; known are llama');
    expect(refused.error).toContain('Techniques that need no data are rtn');

    const unmeasured = await run({ OPTION_QUANTIZE: 'rtn' }, input);
    expect(unmeasured.error).toBeUndefined();
    const { evaluation, notes } = await stepOf(unmeasured.output);
    expect(evaluation).toBeNull();
    expect(notes.join(' ')).toContain('Perplexity was not measured: config.json: the forward pass');
  });

  it('says that an execution provider is not to be had', async () => {
    const result = await run({
      OPTION_QUANTIZE: 'rtn',
      OPTION_EVAL_DATASET: SMALL.OPTION_EVAL_DATASET,
      OPTION_EVAL_TOKENS: '64',
      OPTION_EXECUTION_PROVIDER: 'cuda',
    });
    if (result.status === 0) return;
    expect(result.error).toContain('the execution provider cuda');
  });
});
