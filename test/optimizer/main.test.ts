import { createHash } from 'node:crypto';
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import type { TensorInfo } from '#burnish/checkpoint/safetensors/reader.js';
import { decodeFloats, decodeRows, type WeightScheme } from '#burnish/kernels/index.js';
import type { LayerReport, QuantizationStepReport } from '#burnish/optimizer/report/types.js';
import {
  floatBytes,
  llama,
  randomTensor,
  type SyntheticModel,
  writeModel,
} from '../checkpoint/synthetic.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { optimize, readReport, startOptimizer } from './running-optimizer.js';

const FIXTURE = fileURLToPath(new URL('../../fixtures/shakespeare-llama', import.meta.url));
// Perplexity has tests of its own and takes longer than all else here.
const UNMEASURED = { OPTION_EVALUATE: 'false' };
const FP8 = { ...UNMEASURED, OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' };
const INT8 = { ...UNMEASURED, OPTION_QUANTIZE: 'int8' };
const RTN = { ...UNMEASURED, OPTION_QUANTIZE: 'rtn' };

async function bytesOf({ path, offset, length }: TensorInfo): Promise<Buffer> {
  return (await readFile(path)).subarray(offset, offset + length);
}

/** A layer's error, from the files alone. */
async function measuredError(
  source: TensorInfo,
  written: ReadonlyMap<string, TensorInfo>,
  { module, scheme, shape: [rows, columns] }: LayerReport,
): Promise<number> {
  const packed = written.has(`${module}.weight_packed`);
  const part = async (name: string) => {
    const tensor = written.get(`${module}.${name}`);
    return tensor === undefined ? undefined : bytesOf(tensor);
  };
  const zeroPoints = await part('weight_zero_point');
  const decoded = decodeRows({
    scheme: { ...scheme, groupSize: scheme.groupSize ?? undefined, packed } as WeightScheme,
    scaleType: source.dtype as 'BF16',
    rows,
    columns,
    codes: (await part(packed ? 'weight_packed' : 'weight')) ?? new Uint8Array(),
    scales: (await part('weight_scale')) ?? new Uint8Array(),
    ...(zeroPoints === undefined ? {} : { zeroPoints }),
  });
  const weights = decodeFloats(await bytesOf(source), source.dtype as 'BF16');
  let squares = 0;
  let errors = 0;
  weights.forEach((weight, index) => {
    squares += weight ** 2;
    errors += (weight - (decoded[index] ?? Number.NaN)) ** 2;
  });
  return Math.sqrt(errors / squares);
}

/** Everything that must hold of a result, whatever was asked for. */
async function checkResult(input: string, output: string): Promise<QuantizationStepReport> {
  const report = await readReport(output);
  const step = report.steps.at(-1);
  if (step?.technique !== 'quantization') throw new Error('the report has no such step');
  expect(report).toMatchObject({ schemaVersion: 1, complete: true });

  const source = await openCheckpoint(input);
  const result = await openCheckpoint(output);
  expect(result.shards.map(({ file }) => file)).toEqual(source.shards.map(({ file }) => file));
  const quantized = new Map(step.layers.map((layer) => [`${layer.module}.weight`, layer]));
  for (const tensor of source.tensors.values()) {
    const layer = quantized.get(tensor.name);
    if (layer === undefined) {
      const copy = result.tensors.get(tensor.name);
      expect(copy, tensor.name).toMatchObject({ dtype: tensor.dtype, shape: tensor.shape });
      const same = copy && (await bytesOf(copy)).equals(await bytesOf(tensor));
      expect(same, tensor.name).toBe(true);
    } else {
      const scale = result.tensors.get(`${layer.module}.weight_scale`);
      expect(scale).toMatchObject({ dtype: tensor.dtype, file: tensor.file });
      const error = await measuredError(tensor, result.tensors, layer);
      expect(layer.error.relativeRms).toBeCloseTo(error, 6);
      expect(layer.bytesBefore).toBe(tensor.length);
    }
  }
  const bytesAfter = [...result.tensors.values()].reduce((sum, { length }) => sum + length, 0);
  expect(step.totals.weightBytesAfter).toBe(bytesAfter);
  if (result.index !== undefined) {
    expect(result.index.metadata).toMatchObject({ total_size: bytesAfter, writer: 'test' });
    expect(new Set(result.index.files.keys())).toEqual(new Set(result.tensors.keys()));
  }

  const names = result.files.map(({ name }) => name).sort();
  expect(report.files.map(({ name }) => name)).toEqual(
    names.filter((name) => name !== 'optimization-report.json'),
  );
  for (const { name, bytes, sha256 } of report.files) {
    const content = await readFile(join(output, name));
    expect(content).toHaveLength(bytes);
    expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
  }
  expect(result.config.values).toMatchObject(source.config.values);
  expect(result.config.values.quantization_config).toMatchObject({
    quant_method: 'compressed-tensors',
    quantization_status: 'compressed',
  });
  expect(await readFile(join(output, 'serving.properties'), 'utf8')).toContain(
    'option.quantize=compressed-tensors\n',
  );
  return step;
}

async function checked(input: string, environment: Readonly<Record<string, string>>) {
  const run = await optimize(input, { environment });
  expect(run.errors).toBe('');
  expect(run).toMatchObject({ status: 0, error: undefined });
  return { ...run, step: await checkResult(input, run.output) };
}

/** A run that must fail, leaving nothing behind and the source as it was. */
async function failure(input: string, environment: Readonly<Record<string, string>>) {
  const before = await readdir(input);
  const run = await optimize(input, { environment });
  expect(run.status).toBe(1);
  expect(run.errors).toBe(`${run.error}\n`);
  expect(await readdir(run.output)).toEqual([]);
  expect(await readdir(input)).toEqual(before);
  return run.error;
}

describe('the optimization program', () => {
  describe('on the bundled checkpoint', () => {
    it.each([
      [FP8, 'float-quantized', 0.03],
      [INT8, 'int-quantized', 0.01],
      [RTN, 'pack-quantized', 0.13],
      [{ ...RTN, OPTION_RTN_ZERO_POINT: 'true' }, 'pack-quantized', 0.12],
      [
        { ...RTN, OPTION_RTN_WEIGHT_BIT_WIDTH: '8', OPTION_RTN_BLOCK_SIZE: '-1' },
        'pack-quantized',
        0.01,
      ],
    ])('carries out %j', async (environment, format, largestError) => {
      const { step, log, progressFile } = await checked(FIXTURE, environment);
      expect(step.format.name).toBe(format);
      expect(step.layers).toHaveLength(28);
      expect(step.unquantized.map(({ module }) => module)).toEqual([
        'lm_head',
        'model.embed_tokens',
      ]);
      expect(step.totals.relativeRms).toBeLessThan(largestError);
      expect(step.totals.relativeRms).toBeGreaterThan(largestError / 10);
      expect(step.model).toEqual({ type: 'llama', architecture: 'llama', parameters: 2_885_888 });
      expect(step.settings).toMatchObject(environment);
      expect(log).toContain('model.layers.3.mlp.down_proj: ');
      expect(log).toContain('times smaller');

      const events = (await readFile(progressFile, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      const phases = [...new Set(events.map(({ phase }) => phase))];
      expect(phases).toEqual([
        'reading',
        'checking',
        'quantizing',
        'copying',
        'verifying',
        'reporting',
      ]);
      expect(events.findLast(({ phase }) => phase === 'quantizing')).toMatchObject({
        tensorsDone: 39,
        tensorsTotal: 39,
      });
    });

    it('takes its settings from the environment inside a container', async () => {
      const run = await optimize(FIXTURE, { environment: INT8, inContainer: true });
      expect(run.status).toBe(0);
      expect((await checkResult(FIXTURE, run.output)).settings.OPTION_QUANTIZE).toBe('int8');
    });

    it('gives the same bytes every time', async () => {
      const first = await readReport((await checked(FIXTURE, RTN)).output);
      const second = await readReport((await checked(FIXTURE, RTN)).output);
      expect(second.files).toEqual(first.files);
    });
  });

  describe('on made-up checkpoints', () => {
    it.each(['F32', 'F16', 'BF16'] as const)('keeps scales in %s', async (dtype) => {
      for (const environment of [FP8, INT8, RTN]) {
        await checked(await writeModel(llama({ dtype })), environment);
      }
    });

    it('reads and writes many files and carries the others along', async () => {
      const model = {
        ...llama(),
        shards: 3,
        otherFiles: {
          'tokenizer.json': '{"x": "é"}',
          'nested/deep/data.bin': 'weights of other software',
          'serving.properties': 'engine=Python\noption.dtype=bf16\noption.awq_block_size=64\n',
          '.gitattributes': '*.safetensors filter=lfs\n',
        },
      };
      const input = await writeModel(model);
      const { output, step } = await checked(input, { ...RTN, OPTION_MAX_LORAS: '4' });
      expect(await readFile(join(output, 'nested/deep/data.bin'), 'utf8')).toBe(
        'weights of other software',
      );
      expect(await readFile(join(output, '.gitattributes'), 'utf8')).toContain('lfs');
      expect(await readFile(join(output, 'serving.properties'), 'utf8')).toBe(
        'engine=Python\noption.dtype=bf16\noption.max_loras=4\noption.quantize=compressed-tensors\n',
      );
      expect(step.notes).toContainEqual(expect.stringContaining('nested/deep/data.bin'));
      expect(step.notes).toContainEqual(expect.stringContaining('option.awq_block_size'));
    });

    it('leaves the embedding alone where the output layer shares it', async () => {
      const { step } = await checked(await writeModel(llama({ tied: true })), FP8);
      expect(step.unquantized).toContainEqual({
        module: 'lm_head',
        reason: 'it shares its weight with the input embedding',
      });
    });

    it('quantizes the output layer when asked', async () => {
      const { step } = await checked(await writeModel(llama()), {
        ...INT8,
        OPTION_INT8_IGNORE_LAYERS: 'q_proj',
      });
      expect(step.layers.map(({ module }) => module)).toContain('lm_head');
      expect(step.notes).toContainEqual(expect.stringContaining('fuse'));
    });

    it('gives odd widths a scheme of their own', async () => {
      const { step } = await checked(await writeModel(llama({ intermediate: 136 })), RTN);
      const down = step.layers.filter(({ module }) => module.endsWith('down_proj'));
      expect(down.map(({ scheme }) => scheme.strategy)).toEqual(['channel', 'channel']);
      expect(step.notes).toContainEqual(expect.stringContaining('per channel'));
    });

    it('quantizes experts and not what chooses them', async () => {
      const experts = [0, 1, 2].flatMap((expert) =>
        ['gate_proj', 'up_proj', 'down_proj'].map((name) =>
          randomTensor(
            `model.layers.0.mlp.experts.${expert}.${name}.weight`,
            name === 'down_proj' ? [128, 64] : [64, 128],
          ),
        ),
      );
      const model: SyntheticModel = {
        config: { model_type: 'qwen3_moe' },
        tensors: [...experts, randomTensor('model.layers.0.mlp.gate.weight', [3, 128])],
      };
      const { step, output } = await checked(await writeModel(model), RTN);
      expect(step.layers).toHaveLength(9);
      expect(new Set(step.layers.map(({ scheme }) => scheme.groupSize))).toEqual(new Set([64]));
      expect(step.unquantized.map(({ module }) => module)).toContain('model.layers.0.mlp.gate');
      const config = JSON.parse(await readFile(join(output, 'config.json'), 'utf8'));
      expect(config.quantization_config.ignore).toContain('re:.*\\.mlp\\.gate$');
    });

    it('quantizes a model it does not know, keeping what is not a weight', async () => {
      const model: SyntheticModel = {
        config: { model_type: 'new_thing' },
        tensors: [
          randomTensor('decoder.block.0.attention.wq.weight', [64, 128]),
          randomTensor('decoder.block.0.attention.wq.bias', [64]),
          { name: 'decoder.block.0.mask', dtype: 'BOOL', shape: [3], data: Buffer.from([1, 0, 1]) },
          { name: 'step', dtype: 'I64', shape: [], data: Buffer.alloc(8, 7) },
          { name: 'nothing', dtype: 'F32', shape: [0, 4], data: Buffer.alloc(0) },
        ],
      };
      const { step } = await checked(await writeModel(model), FP8);
      expect(step.model.architecture).toBeNull();
      expect(step.layers).toHaveLength(1);
    });

    it('keeps the report of earlier steps before its own', async () => {
      const earlier = { technique: 'earlier' };
      const input = await writeModel({
        ...llama(),
        otherFiles: {
          'optimization-report.json': JSON.stringify({ schemaVersion: 1, steps: [earlier] }),
        },
      });
      const { output } = await checked(input, RTN);
      expect((await readReport(output)).steps).toMatchObject([
        earlier,
        { technique: 'quantization' },
      ]);
    });

    it('does not take any file of that name for a report', async () => {
      const input = await writeModel({
        ...llama(),
        otherFiles: { 'optimization-report.json': '{"steps":[{}]' },
      });
      const { output, step } = await checked(input, RTN);
      expect((await readReport(output)).steps).toHaveLength(1);
      expect(step.notes).toContainEqual(expect.stringContaining('optimization-report.json'));
    });

    it('lets buffers hold infinities', async () => {
      const mask = Float32Array.of(0, Number.NEGATIVE_INFINITY);
      const model = llama();
      const input = await writeModel({
        ...model,
        tensors: [
          ...model.tensors,
          { name: 'model.mask', dtype: 'F32', shape: [2], data: floatBytes(mask, 'F32') },
        ],
      });
      await checked(input, RTN);
    });
  });

  describe('fails, naming what is wrong,', () => {
    const withValue = (tensor: string, value: number): SyntheticModel => {
      const model = llama();
      const tensors = model.tensors.map((each) => {
        if (each.name !== tensor) return each;
        const data = Uint8Array.from(each.data);
        data.set(floatBytes(Float32Array.of(value), 'BF16'), data.length - 2);
        return { ...each, data };
      });
      return { ...model, tensors };
    };

    it.each([
      ['model.layers.1.mlp.up_proj.weight', Number.NaN],
      ['model.layers.0.self_attn.q_proj.weight', Number.POSITIVE_INFINITY],
      ['model.embed_tokens.weight', Number.NaN],
      ['model.norm.weight', Number.NEGATIVE_INFINITY],
    ])('at %s with %s in it', async (tensor, value) => {
      const input = await writeModel(withValue(tensor, value));
      for (const environment of [FP8, RTN]) {
        const error = await failure(input, environment);
        expect(error).toContain(tensor);
        expect(error).toMatch(/NaN|Inf/);
      }
    });

    it('at a file that was cut off', async () => {
      const input = await writeModel(llama());
      const path = join(input, 'model.safetensors');
      await truncate(path, (await stat(path)).size - 100);
      expect(await failure(input, RTN)).toContain('model.safetensors, tensor "lm_head.weight"');
    });

    it('at a checkpoint that is quantized already, by its configuration or its tensors', async () => {
      const result = await checked(await writeModel(llama()), RTN);
      expect(await failure(result.output, RTN)).toContain('config.json: has a quantization_config');
      const model = llama();
      const scale = randomTensor('model.layers.0.mlp.up_proj.weight_scale', [256, 1]);
      const input = await writeModel({ ...model, tensors: [...model.tensors, scale] });
      expect(await failure(input, RTN)).toContain('weight_scale": would be written twice');
    });

    it('at settings', async () => {
      const input = await writeModel(llama());
      expect(await failure(input, { OPTION_QUANTIZE: 'magic' })).toContain('OPTION_QUANTIZE');
      expect(await failure(input, { ...RTN, OPTION_RTN_BLOCK_SIZE: '7' })).toContain(
        'OPTION_RTN_BLOCK_SIZE is "7"',
      );
    });

    it('at a serving.properties that is none', async () => {
      const input = await writeModel({ ...llama(), otherFiles: { 'serving.properties': 'x\n' } });
      expect(await failure(input, RTN)).toContain('serving.properties, line 1');
    });

    it('at techniques that are not built', async () => {
      const technique = 'speculative-decoding';
      const run = await optimize(FIXTURE, { step: { technique, environment: {} } });
      expect(run.status).toBe(1);
      expect(run.error).toBe(
        `${technique} is not built yet; what works is quantization, compilation, sharding`,
      );
    });

    it('at sharding asked for in a container, by the file over the environment', async () => {
      const input = await writeModel({
        ...llama(),
        otherFiles: { 'serving.properties': 'option.load_format=sagemaker_fast_model_loader\n' },
      });
      const environment = { OPTION_QUANTIZE: 'rtn', OPTION_LOAD_FORMAT: 'auto' };
      const run = await optimize(input, { environment, inContainer: true });
      expect(run.error).toContain('OPTION_QUANTIZE is a setting of quantization');
    });

    it('at an output folder with something in it, which stays', async () => {
      const output = temporaryFolder();
      await writeFile(join(output, 'precious'), 'data');
      const run = await optimize(FIXTURE, { environment: RTN, output });
      expect(run.error).toContain('is not empty: it has precious');
      expect(await readFile(join(output, 'precious'), 'utf8')).toBe('data');
    });
  });

  describe('told to stop', () => {
    it('stops in the middle of the work and leaves nothing half done', async () => {
      // Zeros that take no room on the disk, but time to read.
      const rows = 2 ** 18;
      const columns = 2 ** 12;
      const input = await writeModel({ config: { model_type: 'llama' }, tensors: [] });
      const bytes = rows * columns * 4;
      const header = JSON.stringify({
        'model.layers.0.mlp.down_proj.weight': {
          dtype: 'F32',
          shape: [rows, columns],
          data_offsets: [0, bytes],
        },
      });
      const prefix = Buffer.alloc(8);
      prefix.writeBigUInt64LE(BigInt(header.length));
      const path = join(input, 'model.safetensors');
      await writeFile(path, Buffer.concat([prefix, Buffer.from(header)]));
      await truncate(path, 8 + header.length + bytes);

      const running = await startOptimizer(input, { environment: RTN });
      let progress = '';
      while (!progress.includes('quantizing')) {
        await wait(5);
        progress = await readFile(running.progressFile, 'utf8').catch(() => '');
      }
      running.process.kill('SIGTERM');
      expect(await running.ended).toMatchObject({ status: 143, error: 'stopped' });
      expect(await readdir(running.output)).toEqual([]);
    });
  });
});
