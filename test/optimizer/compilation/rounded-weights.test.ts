import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type CodeForm, createKernelPool, decodeHalf } from '#burnish/kernels/index.js';
import { toHalves } from '#burnish/optimizer/compilation/weights/half.js';
import { KeptCodes } from '#burnish/optimizer/compilation/weights/keep-codes.js';
import { matrixOf, rowsOf } from '#burnish/optimizer/compilation/weights/matrix.js';
import { WeightCollector } from '#burnish/optimizer/compilation/weights/weight-collector.js';
import { WeightFile } from '#burnish/optimizer/compilation/weights/weight-file.js';
import { writeWeights } from '#burnish/optimizer/compilation/weights/write-weights.js';
import { GraphBuilder, type Value } from '#burnish/optimizer/forward/onnx/graph-builder.js';
import { StoredWeights } from '#burnish/optimizer/forward/weights/stored-weights.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';
import * as ort from '#burnish/optimizer/onnx-runtime/onnx-runtime.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { temporaryFolder } from '../../support/temporary-folder.js';
import { decodeCodes } from './decode-codes.js';

const ROWS = 24;

const pool = createKernelPool({ threads: 2 });
afterAll(() => pool.close());

function weights(columns: number): Float32Array {
  const random = seededRandom(columns);
  return Float32Array.from({ length: ROWS * columns }, () => random() - 0.5);
}

/** One matrix that was rounded to codes, in a graph that multiplies with it. */
interface Rounded {
  readonly folder: string;
  readonly graph: string;
  /** What the codes stand for. */
  readonly decoded: Float32Array;
  readonly scales: Float32Array;
}

async function round(
  values: Float32Array,
  columns: number,
  form: CodeForm,
  accuracyLevel = 0,
): Promise<Rounded> {
  const folder = temporaryFolder('codes');
  const stored = join(folder, 'stored');
  await writeFile(stored, new Uint8Array(values.buffer));
  const graph = new GraphBuilder();
  const file = new WeightFile('weights');
  const collector = new WeightCollector(graph, file);
  const input = graph.input('x', ['tokens', columns]);
  const matrix = matrixOf(columns, [rowsOf('some.layer', 0, ROWS)]);
  const planned = collector.codes('layer', matrix, { form, kept: false }, 'float32');
  const output = graph.named('y', ['tokens', ROWS]);
  const inputs: Value[] = [input, planned.codes, planned.scales];
  if (planned.zeroPoints !== undefined) inputs.push(planned.zeroPoints);
  graph.fused('MatMulNBits', inputs, [output], {
    ...{ K: columns, N: ROWS, bits: form.bits, block_size: form.blockSize },
    accuracy_level: accuracyLevel,
  });
  await writeFile(join(folder, 'graph'), graph.build('product'));
  const name = 'some.layer.weight';
  const place = { file: 'stored', path: stored, offset: 0, length: values.byteLength };
  const files = new TensorFiles(
    new Map([[name, { name, dtype: 'F32', shape: [ROWS, columns], ...place }]]),
  );
  const weights = join(folder, 'weights');
  await writeFile(weights, new Uint8Array(file.size));
  await writeWeights(weights, collector.weights, {
    ...{ files, pool, source: new StoredWeights(files), kept: new KeptCodes(files) },
    signal: new AbortController().signal,
    onWritten: () => undefined,
  });
  const [weight] = collector.weights;
  if (weight?.kind !== 'codes') throw new Error('no codes were planned');
  const { offset, length } = weight.scales;
  const bytes = Uint8Array.from((await readFile(weights)).subarray(offset, offset + length));
  return {
    ...{ folder, graph: join(folder, 'graph') },
    decoded: await decodeCodes(weights, weight),
    scales: new Float32Array(bytes.buffer),
  };
}

/** `x · Wᵀ`, by ONNX Runtime. */
async function multiplied(
  { graph }: Rounded,
  columns: number,
  x: Float32Array,
): Promise<Float32Array> {
  const session = await ort.InferenceSession.create(graph, { logSeverityLevel: 3 });
  const { y } = await session.run({
    x: new ort.Tensor('float32', x, [x.length / columns, columns]),
  });
  await session.release();
  return Float32Array.from(y?.data as Float32Array);
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
      const random = seededRandom(5);
      const x = Float32Array.from({ length: 3 * columns }, () => random() - 0.5);
      const exact = await round(values, columns, form);
      const expected = products(x, exact.decoded, columns);
      expect(worst(await multiplied(exact, columns, x), expected)).toBeLessThan(1e-4);
      // With int8 activations each of them is off by up to a 254th of the block's largest.
      const quick = await round(values, columns, form, 4);
      expect(worst(await multiplied(quick, columns, x), expected)).toBeLessThan(0.05);
    },
  );

  it.each(FORMS.map((form) => [form] as const))(
    'are no further off than half a step, clipped ones than two: %j',
    async (form) => {
      const columns = 256;
      const values = weights(columns);
      const { scales, decoded: back } = await round(values, columns, form);
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

  it('may be zeros, and must be numbers', async () => {
    const form: CodeForm = { bits: 4, blockSize: 32, zeroPoints: false };
    const zeros = new Float32Array(ROWS * 64);
    expect((await round(zeros, 64, form)).decoded).toEqual(zeros);
    zeros[70] = Number.NaN;
    await expect(round(zeros, 64, form)).rejects.toThrow(
      /some.layer.weight has NaN at row 1, column 6/,
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
