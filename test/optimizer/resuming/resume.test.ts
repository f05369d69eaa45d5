import { readdir, readFile, rename, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import type { TensorInfo } from '#burnish/checkpoint/safetensors/reader.js';
import { llama, writeModel } from '../../checkpoint/synthetic.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { EXPERTS, randomMixture } from '../calibration/random-mixture.js';
import { contentOf, quantize, readReport } from './support.js';

const MODEL = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));
const CALIBRATION = fileURLToPath(
  new URL('../../../fixtures/shakespeare-llama-calibration.txt', import.meta.url),
);
const CALIBRATED = {
  OPTION_CALIB_SIZE: '2',
  OPTION_CALIB_DATASET: 's3://texts/calibration.txt',
  OPTION_EVALUATE: 'false',
};
const DATASETS = { OPTION_CALIB_DATASET: CALIBRATION };

const SETTINGS = [
  { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' },
  { OPTION_QUANTIZE: 'int8', OPTION_EVALUATE: 'false' },
  { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC', OPTION_EVALUATE: 'false' },
  { OPTION_QUANTIZE: 'awq', ...CALIBRATED },
  { OPTION_QUANTIZE: 'gptq', ...CALIBRATED },
  { OPTION_QUANTIZE: 'gptq', OPTION_GPTQ_FORMAT: 'compressed-tensors', ...CALIBRATED },
  { OPTION_QUANTIZE: 'gptaq', ...CALIBRATED },
  { OPTION_QUANTIZE: 'smoothquant', ...CALIBRATED },
  { OPTION_QUANTIZE: 'fp8', ...CALIBRATED },
] as const;

describe.each(SETTINGS)(
  'a step of $OPTION_QUANTIZE that was stopped',
  { timeout: 300_000 },
  (settings) => {
    const options = { datasets: DATASETS };

    it('gives the same bytes when it goes on as one that never was', async () => {
      const whole = await quantize(MODEL, settings, options);
      expect(whole.error).toBeUndefined();
      const resumeFolder = temporaryFolder();
      const resumed = { ...options, resumeFolder };
      const first = await quantize(MODEL, settings, { ...resumed, stopAfter: 9 });
      expect(first.error?.message).toBe('stopped');
      const second = await quantize(MODEL, settings, { ...resumed, stopAfter: 12 });
      expect(second.error?.message).toBe('stopped');
      const last = await quantize(MODEL, settings, resumed);
      expect(last.error).toBeUndefined();
      expect(last.log.join('\n')).toMatch(/going on from [1-9]\d* finished layers of 28/);
      expect(await contentOf(last.output)).toEqual(await contentOf(whole.output));
    });

    it('leaves a model that loads, and says which layers are done', async () => {
      const stopped = await quantize(MODEL, settings, { ...options, stopAfter: 9 });
      expect(stopped.error?.message).toBe('stopped');
      const report = await readReport(stopped.output);
      expect(report.complete).toBe(false);
      const step = report.steps.at(-1);
      if (step?.technique !== 'quantization') throw new Error('the report has no such step');
      const done = step.layers.map(({ module }) => module);
      expect(done.length).toBeGreaterThan(0);
      expect(done.length).toBeLessThan(28);
      expect(step.notes.join()).toContain(`${done.length} of 28 layers are quantized`);
      const { tensors } = await openCheckpoint(stopped.output);
      const source = await openCheckpoint(MODEL);
      const left = await quantizableModules(MODEL);
      for (const module of done) {
        left.delete(module);
        expect(
          QUANTIZED.some((part) => tensors.has(module + part)),
          module,
        ).toBe(true);
      }
      // Those are as they were, and loaders are told so.
      const { quantization_config: config } = JSON.parse(
        await readFile(join(stopped.output, 'config.json'), 'utf8'),
      );
      for (const module of left) {
        const [now, before] = [
          tensors.get(`${module}.weight`),
          source.tensors.get(`${module}.weight`),
        ];
        if (now === undefined || before === undefined) throw new Error(`${module} is not there`);
        expect(now.dtype).toBe(before.dtype);
        expect((await bytesOf(now)).equals(await bytesOf(before)), module).toBe(true);
        expect(isLeftAlone(config, module), module).toBe(true);
      }
      for (const module of done) expect(isLeftAlone(config, module), module).toBe(false);
      expect(await readdir(stopped.output)).not.toContain('.unfinished');
    });
  },
);

describe('a mixture of experts that was stopped', { timeout: 300_000 }, () => {
  // Experts do not run beside those of the original model, but one after the other.
  it.each(['gptaq', 'gptq'])('gives the same bytes with %s when it goes on', async (technique) => {
    const settings = {
      OPTION_QUANTIZE: technique,
      [`OPTION_${technique.toUpperCase()}_BLOCK_SIZE`]: '32',
      ...CALIBRATED,
    };
    const model = await randomMixture();
    const whole = await quantize(model, settings, { datasets: DATASETS });
    expect(whole.error).toBeUndefined();
    const resumed = { datasets: DATASETS, resumeFolder: temporaryFolder() };
    const first = await quantize(model, settings, { ...resumed, stopAfter: 4 + 3 * EXPERTS });
    expect(first.error?.message).toBe('stopped');
    const last = await quantize(model, settings, resumed);
    expect(last.error).toBeUndefined();
    expect(last.log.join('\n')).toMatch(/going on from [1-9]\d* finished layers of 32/);
    expect(await contentOf(last.output)).toEqual(await contentOf(whole.output));
  });
});

const QUANTIZED = ['.qweight', '.weight_packed', '.weight_scale'];

async function quantizableModules(model: string): Promise<Set<string>> {
  const { output } = await quantize(model, { OPTION_QUANTIZE: 'int8', OPTION_EVALUATE: 'false' });
  const [step] = (await readReport(output)).steps;
  if (step?.technique !== 'quantization') throw new Error('the report has no such step');
  return new Set(step.layers.map(({ module }) => module));
}

async function bytesOf({ path, offset, length }: TensorInfo): Promise<Buffer> {
  return (await readFile(path)).subarray(offset, offset + length);
}

/** As the loaders of each format decide it. */
function isLeftAlone(config: Readonly<Record<string, unknown>>, module: string): boolean {
  const lists: Readonly<Record<string, () => boolean>> = {
    'compressed-tensors': () => (config.ignore as readonly string[]).includes(module),
    awq: () => (config.modules_to_not_convert as readonly string[]).includes(module),
    gptq: () =>
      Object.keys(config.dynamic as object).some(
        (rule) => rule.startsWith('-:') && new RegExp(rule.slice(2)).test(module),
      ),
  };
  const list = lists[String(config.quant_method)];
  if (list === undefined) throw new Error(`${config.quant_method} is not known`);
  return list();
}

describe('finished layers', () => {
  const settings = { OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' };

  /** A model of ours, and the layers that a stopped step left of it, offered to another one. */
  async function stopped() {
    const model = await writeModel(llama({ layers: 4 }));
    const resumeFolder = temporaryFolder();
    const { error } = await quantize(model, settings, { resumeFolder, stopAfter: 10 });
    expect(error?.message).toBe('stopped');
    await rename(join(resumeFolder, 'own'), join(resumeFolder, 'offered'));
    return { model, resumeFolder };
  }

  it('are not used for other settings, and stay where they are', async () => {
    const { model, resumeFolder } = await stopped();
    const other = { ...settings, OPTION_RTN_BLOCK_SIZE: '32' };
    const { error, output } = await quantize(model, other, { resumeFolder });
    expect(error?.message).toContain('OPTION_RTN_BLOCK_SIZE was 128 and is 32');
    expect(await readdir(output)).toEqual([]);
    expect(await readdir(resumeFolder)).toEqual(['offered']);
    const { log } = await quantize(model, settings, { resumeFolder });
    expect(log.join('\n')).toContain('going on from');
  });

  it('are not used for a source with one other number in its last tensor', async () => {
    const { model, resumeFolder } = await stopped();
    const path = join(model, 'model.safetensors');
    const bytes = await readFile(path);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 2) ^ 1, bytes.length - 2);
    await writeFile(path, bytes);
    const { error } = await quantize(model, settings, { resumeFolder });
    expect(error?.message).toContain('model.safetensors of the source was changed');
  });

  it('are done over where the same step finds them damaged', async () => {
    const { model, resumeFolder } = await stopped();
    await rename(join(resumeFolder, 'offered'), join(resumeFolder, 'own'));
    await truncate(join(resumeFolder, 'own/weights/model.safetensors'), 100);
    const { error, log, output } = await quantize(model, settings, { resumeFolder });
    expect(error).toBeUndefined();
    expect(log.join('\n')).toContain('model.safetensors is not whole; starting over');
    const whole = await quantize(model, settings);
    expect(await contentOf(output)).toEqual(await contentOf(whole.output));
  });

  it('are counted up to the last whole line of their list', async () => {
    const { model, resumeFolder } = await stopped();
    const list = join(resumeFolder, 'offered/finished.jsonl');
    const { size } = await stat(list);
    await truncate(list, size - 20);
    const { error, output } = await quantize(model, settings, { resumeFolder });
    expect(error).toBeUndefined();
    const whole = await quantize(model, settings);
    expect(await contentOf(output)).toEqual(await contentOf(whole.output));
  });
});
