import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INTEROP_PYTHON } from '../../support/interop-python.js';
import { optimize, readReport } from '../running-optimizer.js';

const here = dirname(fileURLToPath(import.meta.url));
const FIXTURES = join(here, '../../../fixtures');
const MODEL = join(FIXTURES, 'shakespeare-llama');
const SCRIPT = join(here, '../../interop/result_perplexity.py');
const DATASETS = {
  OPTION_CALIB_DATASET: join(FIXTURES, 'shakespeare-llama-calibration.txt'),
  OPTION_EVAL_DATASET: join(FIXTURES, 'shakespeare-llama-heldout.txt'),
};
const TOKENS = 4096;
const WINDOW = 256;

/** Part of the perplexity by which Transformers may differ from what the job reported. */
const TOLERANCE = 0.005;

if (INTEROP_PYTHON === undefined) {
  console.warn('SKIPPED: perplexity against Transformers, for want of BURNISH_INTEROP_PYTHON');
}

/** What Transformers says of a result. */
type Answer = { readonly perplexity: number; readonly reader: string } | { readonly error: string };

/** One process reads all results, since Transformers takes longer to load than to run them. */
let transformers: ChildProcess;
let lines: AsyncIterator<string>;

async function readByTransformers(folder: string) {
  transformers.stdin?.write(`${folder}\n`);
  const { done, value } = await lines.next();
  if (done === true) throw new Error(`${SCRIPT} ended before it had read ${folder}`);
  const answer = JSON.parse(value) as Answer;
  if ('error' in answer) throw new Error(answer.error);
  return answer;
}

describe.skipIf(INTEROP_PYTHON === undefined)('reported perplexity', () => {
  beforeAll(() => {
    const parameters = [SCRIPT, DATASETS.OPTION_EVAL_DATASET, String(WINDOW), String(TOKENS)];
    transformers = spawn(INTEROP_PYTHON ?? '', parameters, { stdio: ['pipe', 'pipe', 'inherit'] });
    // That it is gone is said where its next line is missing.
    transformers.stdin?.on('error', () => undefined);
    if (transformers.stdout === null) throw new Error('Python has no standard output');
    lines = createInterface({ input: transformers.stdout })[Symbol.asyncIterator]();
  });
  afterAll(() => {
    transformers.stdin?.end();
  });

  it.each([
    { OPTION_QUANTIZE: 'rtn', OPTION_RTN_ZERO_POINT: 'true' },
    { OPTION_QUANTIZE: 'int8' },
    { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' },
    { OPTION_QUANTIZE: 'fp8' },
    { OPTION_QUANTIZE: 'smoothquant' },
    { OPTION_QUANTIZE: 'awq' },
    { OPTION_QUANTIZE: 'awq', OPTION_AWQ_ZERO_POINT: 'false', OPTION_AWQ_BLOCK_SIZE: '64' },
    { OPTION_QUANTIZE: 'gptq' },
    { OPTION_QUANTIZE: 'gptq', OPTION_GPTQ_ZERO_POINT: 'true', OPTION_GPTQ_WEIGHT_BIT_WIDTH: '8' },
    { OPTION_QUANTIZE: 'gptq', OPTION_GPTQ_ORDER: 'activity-groups' },
    { OPTION_QUANTIZE: 'gptq', OPTION_GPTQ_FORMAT: 'compressed-tensors' },
    { OPTION_QUANTIZE: 'gptq', OPTION_GPTQ_WEIGHT_BIT_WIDTH: '3' },
    { OPTION_QUANTIZE: 'gptaq', OPTION_GPTAQ_WEIGHT_BIT_WIDTH: '2', OPTION_GPTAQ_BLOCK_SIZE: '64' },
    {
      OPTION_QUANTIZE: 'gptaq',
      OPTION_GPTAQ_FORMAT: 'compressed-tensors',
      OPTION_GPTAQ_WEIGHT_BIT_WIDTH: '3',
    },
    {
      OPTION_QUANTIZE: 'awq',
      OPTION_AWQ_FORMAT: 'compressed-tensors',
      OPTION_AWQ_WEIGHT_BIT_WIDTH: '3',
      OPTION_AWQ_BLOCK_SIZE: '32',
    },
    {
      OPTION_QUANTIZE: 'rtn',
      OPTION_RTN_WEIGHT_BIT_WIDTH: '2',
      OPTION_RTN_BLOCK_SIZE: '64',
      OPTION_RTN_ZERO_POINT: 'true',
    },
  ])('is what Transformers finds, for %j', async (settings) => {
    const calibrated = !['rtn', 'int8'].includes(settings.OPTION_QUANTIZE);
    const environment = {
      ...settings,
      ...(calibrated
        ? { OPTION_CALIB_SIZE: '16', OPTION_CALIB_DATASET: 's3://texts/calibration.txt' }
        : {}),
      OPTION_EVAL_DATASET: 's3://texts/held-out.txt',
      OPTION_EVAL_TOKENS: String(TOKENS),
    };
    const result = await optimize(MODEL, {
      step: { technique: 'quantization', environment, datasets: DATASETS },
    });
    expect(result.error).toBeUndefined();
    const step = (await readReport(result.output)).steps.at(-1);
    if (step?.technique !== 'quantization') throw new Error('the report has no such step');
    const { evaluation } = step;
    if (evaluation === null) throw new Error('perplexity was not measured');
    expect(evaluation).toMatchObject({ tokens: TOKENS - 1, window: WINDOW });

    const { perplexity, reader } = await readByTransformers(result.output);
    console.log(JSON.stringify(settings), reader, { reported: evaluation.after, perplexity });
    expect(Math.abs(perplexity / evaluation.after - 1)).toBeLessThan(TOLERANCE);
  });
});
