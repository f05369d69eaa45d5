import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import {
  blocksOf,
  type CodeForm,
  codeRowBytes,
  createKernelPool,
  decodeFloats,
  type EncodeBlocksTask,
  FLOAT_BYTES,
  type FloatType,
  zeroPointRowBytes,
} from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { randomWeights, WEIGHT_KINDS, wholeNumber } from './support/random.js';
import { gridError, possibleScales, unpackBlocks } from './support/reference-blocks.js';
import { Workbench } from './support/workbench.js';

const FORMS: readonly CodeForm[] = ([4, 8] as const).flatMap((bits) =>
  [16, 32, 128].flatMap((blockSize) =>
    [false, true].map((zeroPoints) => ({ bits, blockSize, zeroPoints })),
  ),
);

const TYPES: readonly FloatType[] = ['F32', 'F16', 'BF16'];

/** What the target is filled with before, and the bytes around each range. */
const FILLER = 0xa5;
const GAP = 37;

const bench = new Workbench();
const pool = createKernelPool({ threads: 2 });
afterAll(() => pool.close());

/** Puts weights and room for their codes into files, away from their beginnings. */
function place(
  sources: readonly Uint8Array[],
  type: FloatType,
  rows: number,
  columns: number,
  form: CodeForm,
): EncodeBlocksTask {
  const target = bench.path('target');
  let end = GAP;
  const range = (rowBytes: number) => {
    const length = rows * sources.length * rowBytes;
    const offset = end;
    end += length + GAP;
    return { path: target, offset, length };
  };
  const codes = range(codeRowBytes(form, columns));
  const scales = range(blocksOf(form, columns) * 4);
  const zeroPoints = form.zeroPoints ? range(zeroPointRowBytes(form, columns)) : undefined;
  writeFileSync(target, Buffer.alloc(end, FILLER));
  return {
    ...{ rows, columns, form, codes, scales, ...(zeroPoints && { zeroPoints }) },
    sources: sources.map((bytes, index) => {
      const path = bench.path(`source-${index}`);
      writeFileSync(path, Buffer.concat([Buffer.alloc(GAP), bytes]));
      const own = { path, offset: GAP, length: bytes.byteLength };
      return { name: `layer.${index}.weight`, range: own, type, firstRow: 100 };
    }),
  };
}

/** What a task wrote, and whether all around it is as it was. */
function stored({ codes, scales, zeroPoints }: EncodeBlocksTask) {
  const file = readFileSync(codes.path);
  const cut = (range: EncodeBlocksTask['codes']) => {
    const bytes = Uint8Array.from(file.subarray(range.offset, range.offset + range.length));
    file.fill(FILLER, range.offset, range.offset + range.length);
    return bytes;
  };
  const all = {
    codes: cut(codes),
    scales: cut(scales),
    zeroPoints: zeroPoints && cut(zeroPoints),
  };
  return { ...all, restUntouched: file.every((byte) => byte === FILLER) };
}

/** Holds codes to the definition: each is the nearest there is, and the scale is the best of its kind. */
function expectBest(
  weights: Float32Array,
  result: Parameters<typeof unpackBlocks>[0],
  form: CodeForm,
  rows: number,
  columns: number,
): void {
  const { codes, scales, zeroPoints } = unpackBlocks(result, form, rows, columns);
  const blocks = blocksOf(form, columns);
  const highest = 2 ** form.bits - 1;
  for (let row = 0; row < rows; row += 1) {
    for (let index = 0; index < blocks; index += 1) {
      const first = row * columns + index * form.blockSize;
      const end = Math.min(first + form.blockSize, (row + 1) * columns);
      const block = [...weights.subarray(first, end)];
      const scale = scales[row * blocks + index] ?? Number.NaN;
      const zero = zeroPoints[row * blocks + index] ?? Number.NaN;
      const possible = possibleScales(block, form);
      const where = `row ${row}, block ${index}`;
      expect(possible, where).toContain(scale);
      if (form.zeroPoints) {
        const wanted = Math.min(highest, Math.max(0, -Math.min(0, ...block) / scale));
        expect(Math.abs(zero - wanted), where).toBeLessThanOrEqual(0.5001);
      }
      for (const [at, weight] of block.entries()) {
        const steps = weight / scale;
        const code = codes[first + at] ?? Number.NaN;
        const nearest = Math.min(highest - zero, Math.max(-zero, steps));
        if (!(Math.abs(code - zero - nearest) <= 0.5001)) {
          throw new Error(`${where}: ${weight} is ${steps} steps, and ${code - zero} was stored`);
        }
      }
      const errors = possible.map((scale) => gridError(block, scale, zero, form.bits));
      const own = gridError(block, scale, zero, form.bits);
      // The kernels compare in f32, which tells places apart to a part of the step.
      const blur = block.length * (1e-5 * Math.max(...possible.map(Math.abs))) ** 2;
      expect(own, where).toBeLessThanOrEqual(Math.min(...errors) * 1.001 + blur);
    }
  }
}

describe('rounding in blocks', () => {
  it.each(FORMS.flatMap((form) => TYPES.map((type) => [form, type] as const)))(
    'stores the nearest codes of the best grids: %j, %s',
    async (form, type) => {
      for (const [seed, kind] of WEIGHT_KINDS.entries()) {
        const random = seededRandom(seed + 1);
        const rows = wholeNumber(random, 1, 9);
        const columns = wholeNumber(random, 1, 300);
        const source = randomWeights(random, type, kind, rows * columns);
        const task = place([source], type, rows, columns, form);
        await pool.encodeBlocks(task);
        const result = stored(task);
        expect(result.restUntouched).toBe(true);
        expectBest(decodeFloats(source, type), result, form, rows, columns);
      }
    },
  );

  it.each(FORMS.map((form) => [form] as const))(
    'lets rows of several weights take turns: %j',
    async (form) => {
      const [rows, columns] = [37, 48];
      const random = seededRandom(3);
      const sources = Array.from({ length: 2 }, () =>
        randomWeights(random, 'BF16', 'layer', rows * columns),
      );
      const together = place(sources, 'BF16', rows, columns, form);
      await pool.encodeBlocks(together);
      const both = stored(together);
      expect(both.restUntouched).toBe(true);
      for (const [turn, source] of sources.entries()) {
        const task = place([source], 'BF16', rows, columns, form);
        await pool.encodeBlocks(task);
        const own = stored(task);
        for (const part of ['codes', 'scales', 'zeroPoints'] as const) {
          const [all, single] = [both[part], own[part]];
          expect(all === undefined).toBe(single === undefined);
          if (all === undefined || single === undefined) continue;
          const size = single.length / rows;
          for (let row = 0; row < rows; row += 1) {
            const from = (row * 2 + turn) * size;
            expect(all.subarray(from, from + size)).toEqual(
              single.subarray(row * size, (row + 1) * size),
            );
          }
        }
      }
    },
  );

  it('gives the same whatever the number of pieces', async () => {
    const form: CodeForm = { bits: 4, blockSize: 32, zeroPoints: false };
    const [rows, columns] = [5000, 512];
    const source = randomWeights(seededRandom(9), 'BF16', 'layer', rows * columns);
    const whole = place([source], 'BF16', rows, columns, form);
    await pool.encodeBlocks(whole);
    const all = stored(whole);
    const count = 7;
    const first = 4321;
    const rowBytes = columns * FLOAT_BYTES.BF16;
    const part = place(
      [source.subarray(first * rowBytes, (first + count) * rowBytes)],
      'BF16',
      count,
      columns,
      form,
    );
    await pool.encodeBlocks(part);
    const some = stored(part);
    const codeBytes = codeRowBytes(form, columns);
    expect(some.codes).toEqual(all.codes.subarray(first * codeBytes, (first + count) * codeBytes));
    const scaleBytes = blocksOf(form, columns) * 4;
    expect(some.scales).toEqual(
      all.scales.subarray(first * scaleBytes, (first + count) * scaleBytes),
    );
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'names the place of %s',
    async (value) => {
      const form: CodeForm = { bits: 4, blockSize: 32, zeroPoints: true };
      const values = new Float32Array(5 * 80);
      values[3 * 80 + 71] = value;
      const task = place([new Uint8Array(values.buffer)], 'F32', 5, 80, form);
      await expect(pool.encodeBlocks(task)).rejects.toMatchObject({
        name: 'NonFiniteWeightError',
        ...{ tensor: 'layer.0.weight', row: 103, column: 71, value },
      });
    },
  );

  it('refuses sizes that disagree', async () => {
    const form: CodeForm = { bits: 4, blockSize: 32, zeroPoints: false };
    const task = place([new Uint8Array(4 * 64 * 4)], 'F32', 4, 64, form);
    const [source] = task.sources;
    if (source === undefined) throw new Error('there is no source');
    const refused: readonly (readonly [Partial<EncodeBlocksTask>, RegExp])[] = [
      [{ rows: 5 }, /its weights take 1280 bytes/],
      [{ columns: 0 }, /shape \[4, 0\]/],
      [{ sources: [] }, /0 weights cannot take turns/],
      [{ sources: Array(9).fill(source) }, /9 weights cannot take turns/],
      [{ form: { ...form, blockSize: 24 } }, /blocks of 24 columns/],
      [{ form: { ...form, zeroPoints: true } }, /its zero points take 4 bytes/],
      [{ scales: { ...task.scales, path: bench.path('other') } }, /are not in one file/],
      [{ codes: { ...task.codes, offset: -1 } }, /no place in a file/],
    ];
    for (const [change, message] of refused) {
      await expect(pool.encodeBlocks({ ...task, ...change })).rejects.toThrow(message);
    }
    writeFileSync(source.range.path, Buffer.alloc(GAP + 10));
    await expect(pool.encodeBlocks(task)).rejects.toMatchObject({ code: 'SHORT_FILE' });
  });

  it('stops when it is told to', async () => {
    const form: CodeForm = { bits: 8, blockSize: 128, zeroPoints: false };
    const task = place([new Uint8Array(4 * 64 * 4)], 'F32', 4, 64, form);
    const stop = AbortSignal.abort(new Error('stopped'));
    await expect(pool.encodeBlocks(task, { signal: stop })).rejects.toThrow('stopped');
    expect(stored(task).codes.every((byte) => byte === FILLER)).toBe(true);
  });
});
