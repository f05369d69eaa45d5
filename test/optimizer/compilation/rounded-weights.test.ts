import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeHalf } from '#burnish/kernels/index.js';
import type { CodeForm } from '#burnish/optimizer/compilation/weights/code-form.js';
import { encodeCodes } from '#burnish/optimizer/compilation/weights/encode-codes.js';
import { toHalves } from '#burnish/optimizer/compilation/weights/half.js';
import { matrixOf, rowsOf } from '#burnish/optimizer/compilation/weights/matrix.js';
import { WeightCollector } from '#burnish/optimizer/compilation/weights/weight-collector.js';
import { WeightFile } from '#burnish/optimizer/compilation/weights/weight-file.js';
import { writeWeights } from '#burnish/optimizer/compilation/weights/write-weights.js';
import { GraphBuilder, type Value } from '#burnish/optimizer/forward/onnx/graph-builder.js';
import * as ort from '#burnish/optimizer/onnx-runtime/onnx-runtime.js';
import { randomNumbers } from '../../checkpoint/synthetic.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const ROWS = 24;

function weights(columns: number): Float32Array {
  const random = randomNumbers(columns);
  return Float32Array.from({ length: ROWS * columns }, () => random() - 0.5);
}

/** `x · Wᵀ` for one matrix that is rounded to codes, by ONNX Runtime. */
async function multiplied(
  values: Float32Array,
  columns: number,
  form: CodeForm,
  accuracyLevel: number,
  x: Float32Array,
): Promise<Float32Array> {
  const folder = temporaryFolder('codes');
  const graph = new GraphBuilder();
  const file = new WeightFile('weights');
  const collector = new WeightCollector(graph, file);
  const input = graph.input('x', ['tokens', columns]);
  const matrix = matrixOf(columns, [rowsOf('layer', 0, ROWS)]);
  const { codes, scales, zeroPoints } = collector.codes('layer', matrix, form, false, 'float32');
  const output = graph.named('y', ['tokens', ROWS]);
  const inputs: Value[] = [input, codes, scales];
  if (zeroPoints !== undefined) inputs.push(zeroPoints);
  graph.fused('MatMulNBits', inputs, [output], {
    ...{ K: columns, N: ROWS, bits: form.bits, block_size: form.blockSize },
    accuracy_level: accuracyLevel,
  });
  await writeFile(join(folder, 'graph'), graph.build('product'));
  await writeWeights(join(folder, 'weights'), file.size, collector.weights, {
    source: {
      has: () => true,
      tensor: async () => values,
      matrix: async () => ({ rows: ROWS, columns, values }),
      rows: async (_, first, count) => ({
        rows: count,
        columns,
        values: values.subarray(first * columns, (first + count) * columns),
      }),
      rounding: async () => undefined,
    },
    kept: { open: () => Promise.reject(new Error('nothing is kept')) },
    signal: new AbortController().signal,
    onWritten: () => undefined,
  });
  const session = await ort.InferenceSession.create(join(folder, 'graph'), { logSeverityLevel: 3 });
  const { y } = await session.run({
    x: new ort.Tensor('float32', x, [x.length / columns, columns]),
  });
  await session.release();
  return Float32Array.from(y?.data as Float32Array);
}

/** The weights that codes stand for. */
function decoded(values: Float32Array, columns: number, form: CodeForm): Float32Array {
  const { codes, scales, zeroPoints } = encodeCodes(values, columns, form, 'float32', 'layer');
  const blocks = Math.ceil(columns / form.blockSize);
  const field = (bytes: Uint8Array, rowBytes: number, row: number, index: number): number =>
    form.bits === 8
      ? (bytes[row * rowBytes + index] ?? 0)
      : ((bytes[row * rowBytes + Math.floor(index / 2)] ?? 0) >> (index % 2 === 0 ? 0 : 4)) & 15;
  return values.map((_, at) => {
    const row = Math.floor(at / columns);
    const column = at % columns;
    const block = Math.floor(column / form.blockSize);
    const zero =
      zeroPoints === undefined
        ? 2 ** (form.bits - 1)
        : field(zeroPoints, zeroPoints.length / ROWS, row, block);
    const code = field(codes, codes.length / ROWS, row, column);
    return (code - zero) * (scales[row * blocks + block] ?? 0);
  });
}

function products(x: Float32Array, values: Float32Array, columns: number): Float32Array {
  const tokens = x.length / columns;
  return Float32Array.from({ length: tokens * ROWS }, (_, at) => {
    const [token, row] = [Math.floor(at / ROWS), at % ROWS];
    let sum = 0;
    for (let column = 0; column < columns; column += 1) {
      sum += (x[token * columns + column] ?? 0) * (values[row * columns + column] ?? 0);
    }
    return sum;
  });
}

function worst(a: Float32Array, b: Float32Array): number {
  return Math.max(...a.map((value, index) => Math.abs(value - (b[index] ?? Number.NaN))));
}

const FORMS = [4, 8].flatMap((bits) =>
  [16, 32, 128].flatMap((blockSize) =>
    [false, true].map((zeroPoints): CodeForm => ({ bits: bits as 4 | 8, blockSize, zeroPoints })),
  ),
);

describe('weights rounded to codes', () => {
  it.each(FORMS.flatMap((form) => [128, 80].map((columns) => [form, columns] as const)))(
    'are multiplied as what they stand for: %j, %i columns',
    async (form, columns) => {
      const values = weights(columns);
      const random = randomNumbers(5);
      const x = Float32Array.from({ length: 3 * columns }, () => random() - 0.5);
      const expected = products(x, decoded(values, columns, form), columns);
      expect(worst(await multiplied(values, columns, form, 0, x), expected)).toBeLessThan(1e-4);
      // With int8 activations each of them is off by up to a 254th of the block's largest.
      expect(worst(await multiplied(values, columns, form, 4, x), expected)).toBeLessThan(0.05);
    },
  );

  it.each(FORMS.map((form) => [form] as const))(
    'are no further off than half a step, clipped ones than two: %j',
    (form) => {
      const columns = 256;
      const values = weights(columns);
      const { scales } = encodeCodes(values, columns, form, 'float32', 'layer');
      const back = decoded(values, columns, form);
      const blocks = columns / form.blockSize;
      const steps = values.map((value, at) => {
        const scale =
          scales[Math.floor(at / columns) * blocks + Math.floor((at % columns) / form.blockSize)];
        return Math.abs(value - (back[at] ?? 0)) / Math.abs(scale ?? 0);
      });
      expect(Math.max(...steps)).toBeLessThan(2);
      const within = steps.filter((step) => step <= 0.5001).length;
      expect(within / steps.length).toBeGreaterThan(0.93);
    },
  );

  it('may be zeros, and must be numbers', () => {
    const form: CodeForm = { bits: 4, blockSize: 32, zeroPoints: false };
    const zeros = new Float32Array(ROWS * 64);
    expect(decoded(zeros, 64, form)).toEqual(zeros);
    zeros[70] = Number.NaN;
    expect(() => encodeCodes(zeros, 64, form, 'float32', 'some.layer')).toThrow(
      /some.layer has a weight in row 1 that is not a finite number/,
    );
  });
});

describe('half precision', () => {
  it('gives back every number that it has', () => {
    const all = Uint16Array.from({ length: 0x7c01 }, (_, bits) => bits);
    const values = Float32Array.from(all, (bits) => decodeHalf(bits));
    expect(toHalves(values)).toEqual(all);
    expect(toHalves(values.map((value) => -value))).toEqual(all.map((bits) => bits | 0x8000));
  });

  it('rounds to the nearest, ties to even', () => {
    const at = (bits: number): number => decodeHalf(bits);
    for (const bits of [0x0000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0x3c01, 0x7bfe]) {
      const [low, high] = [at(bits), at(bits + 1)];
      const middle = (low + high) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      const near = (high - low) / 8;
      expect([...toHalves(Float32Array.of(middle, middle - near, middle + near))]).toEqual([
        even,
        bits,
        bits + 1,
      ]);
    }
  });
});
