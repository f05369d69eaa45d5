import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { prepareCompilation } from '#burnish/optimizer/compilation/prepare.js';
import { StoredWeights } from '#burnish/optimizer/forward/weights/stored-weights.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';
import { Progress } from '#burnish/optimizer/progress.js';
import { runQuantization } from '#burnish/optimizer/quantization/run.js';
import type { StepRun } from '#burnish/optimizer/step-frame.js';
import { writeModel } from '../../checkpoint/synthetic.js';
import { largestDifference, modelStates } from '../../support/model-states.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { type Compiled, compile, compiledLogits } from './compiling.js';
import { decodeCodes } from './decode-codes.js';
import { TINY_CASES, tinyIds, tinyModel } from './tiny-models.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const MODEL = join(FIXTURES, 'shakespeare-llama');
const CALIBRATION = {
  OPTION_CALIB_SIZE: '2',
  OPTION_CALIB_DATASET: 's3://texts/calibration.txt',
};

function stepRun(
  inputFolder: string,
  outputFolder: string,
  environment: Readonly<Record<string, string>>,
): StepRun {
  return {
    ...{ inputFolder, outputFolder, environment },
    datasets: { OPTION_CALIB_DATASET: join(FIXTURES, 'shakespeare-llama-calibration.txt') },
    scratchFolder: undefined,
    progress: Progress.toFile(undefined),
    log: () => undefined,
    signal: new AbortController().signal,
  };
}

async function newFolder(): Promise<string> {
  const folder = temporaryFolder('kept');
  return folder;
}

async function quantize(
  source: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await newFolder();
  await runQuantization(stepRun(source, folder, { OPTION_EVALUATE: 'false', ...environment }));
  return folder;
}

/** Holds every weight of a compiled model that is codes to what the checkpoint's own reader makes of it. */
async function expectSameWeights(source: string, compiled: Compiled): Promise<number> {
  const run = stepRun(source, await newFolder(), { OPTION_COMPILE_MEASURE: 'false' });
  const { graph, checkpoint, chosen } = await prepareCompilation(run);
  const files = new TensorFiles(checkpoint.tensors);
  const stored = new StoredWeights(files);
  let count = 0;
  for (const weight of graph.weights) {
    if (weight.kind !== 'codes') continue;
    expect(weight.kept).toBe(true);
    const { columns, parts } = weight.matrix;
    const decoded = await decodeCodes(join(compiled.folder, graph.files.weights), weight);
    let row = 0;
    for (const { modules, rows } of parts) {
      for (const [turn, { module, first }] of modules.entries()) {
        const { values } = await stored.rows(module, first, rows);
        const form = chosen.forms.get(module);
        const order = form?.kind === 'codes' ? form.order : undefined;
        for (let index = 0; index < rows; index += 1) {
          const own = values.subarray(index * columns, (index + 1) * columns);
          const expected = order === undefined ? own : own.map((_, at) => own[order[at] ?? 0] ?? 0);
          const place = (row + index * modules.length + turn) * columns;
          if (largestDifference(expected, decoded.subarray(place, place + columns)) !== 0) {
            throw new Error(`${module}, row ${index} is not what it was`);
          }
        }
      }
      row += rows * modules.length;
      count += modules.length;
    }
  }
  await files.close();
  return count;
}

describe('codes that a checkpoint has', { timeout: 300_000 }, () => {
  it.each([
    [{ OPTION_QUANTIZE: 'rtn' }, 'int4'],
    [
      { OPTION_QUANTIZE: 'rtn', OPTION_RTN_ZERO_POINT: 'true', OPTION_RTN_BLOCK_SIZE: '32' },
      'int4',
    ],
    [
      { OPTION_QUANTIZE: 'rtn', OPTION_RTN_WEIGHT_BIT_WIDTH: '8', OPTION_RTN_BLOCK_SIZE: '-1' },
      'int8',
    ],
    [{ OPTION_QUANTIZE: 'int8' }, 'int8'],
    [{ OPTION_QUANTIZE: 'awq', ...CALIBRATION }, 'int4'],
    [{ OPTION_QUANTIZE: 'gptq', ...CALIBRATION }, 'int4'],
    [{ OPTION_QUANTIZE: 'gptq', OPTION_GPTQ_ORDER: 'activity-groups', ...CALIBRATION }, 'int4'],
    [{ OPTION_QUANTIZE: 'smoothquant', ...CALIBRATION }, 'int8'],
  ])('are kept to the bit: %j', async (environment, dtype) => {
    const source = await quantize(MODEL, environment);
    const compiled = await compile(source);
    expect(compiled.step.graph).toMatchObject({ dtype, keptLayers: 28 });
    expect(await expectSameWeights(source, compiled)).toBe(28);
    // Activations are rounded per token there, and not at all here.
    if (dtype === 'int8' && environment.OPTION_QUANTIZE !== 'rtn') return;
    const ids = tinyIds(24);
    const { logits } = await modelStates(source, [ids]);
    const exact = await compile(source, { OPTION_COMPILE_ACCURACY_LEVEL: '0' });
    const own = await compiledLogits(source, exact, ids);
    expect(largestDifference(own, logits)).toBeLessThan(1e-3);
  });

  it.each(['mixtral', 'qwen2_moe', 'qwen3_moe', 'phi3', 'gemma3'])(
    'are kept in %s',
    async (name) => {
      const tiny = TINY_CASES.find((candidate) => candidate.name === name);
      if (tiny === undefined) throw new Error(`there is no case ${name}`);
      const source = await quantize(await writeModel(tinyModel(tiny)), {
        OPTION_QUANTIZE: 'rtn',
        OPTION_RTN_BLOCK_SIZE: '32',
      });
      const compiled = await compile(source, { OPTION_COMPILE_ACCURACY_LEVEL: '0' });
      expect(await expectSameWeights(source, compiled)).toBeGreaterThan(10);
      const ids = tinyIds(24);
      const { logits } = await modelStates(source, [ids]);
      const own = await compiledLogits(source, compiled, ids);
      expect(largestDifference(own, logits)).toBeLessThan(1e-3);
    },
  );

  it('leave the layers beside them as they were, unless the caller wants those small too', async () => {
    const source = await quantize(MODEL, { OPTION_QUANTIZE: 'rtn' });
    const plain = await compile(source);
    expect(plain.step.graph).toMatchObject({ embeddings: 'fp32', outputLayer: 'fp32' });
    const small = await compile(source, {
      OPTION_COMPILE_HEAD_DTYPE: 'int8',
      OPTION_COMPILE_EMBEDDING_DTYPE: 'int8',
      OPTION_COMPILE_ACCURACY_LEVEL: '0',
    });
    expect(small.step.graph).toMatchObject({
      keptLayers: 28,
      embeddings: 'int8',
      outputLayer: 'int8',
    });
    expect(small.step.totals.weightBytesAfter).toBeLessThan(plain.step.totals.weightBytesAfter);
    const ids = tinyIds(24);
    const { logits } = await modelStates(source, [ids]);
    const own = await compiledLogits(source, small, ids);
    const range = Math.max(...logits.map(Math.abs));
    expect(largestDifference(own, logits)).toBeLessThan(0.05 * range);
  });

  it('are not undone, and FP8 is not taken for them', async () => {
    const rtn = await quantize(MODEL, { OPTION_QUANTIZE: 'rtn' });
    await expect(compile(rtn, { OPTION_DTYPE: 'fp16' })).rejects.toThrow(
      /OPTION_DTYPE is fp16, but the model is quantized to int4 already/,
    );
    const fp8 = await quantize(MODEL, {
      OPTION_QUANTIZE: 'fp8',
      OPTION_FP8_SCHEME: 'FP8_DYNAMIC',
    });
    await expect(compile(fp8)).rejects.toThrow(/stored as FP8/);
  });
});
