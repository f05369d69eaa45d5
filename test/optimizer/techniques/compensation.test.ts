import { afterAll, describe, expect, test } from 'vitest';
import type { Matrix } from '#burnish/optimizer/linear-algebra/linear-algebra.js';
import { createLinearAlgebra } from '#burnish/optimizer/linear-algebra/onnx-algebra.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { chooseScales } from '#burnish/optimizer/techniques/choose-scales.js';
import { decodeWeight } from '#burnish/optimizer/techniques/decode-weight.js';
import { encodedIntegers } from '#burnish/optimizer/techniques/encode-integers.js';
import type { EncodedIntegers } from '#burnish/optimizer/techniques/encoded-weight.js';
import { gptaq } from '#burnish/optimizer/techniques/gptaq.js';
import { type GptqSettings, gptq } from '#burnish/optimizer/techniques/gptq.js';
import { fitGrid, nearestCode } from '#burnish/optimizer/techniques/integer-grid.js';
import { refine } from '#burnish/optimizer/techniques/refine.js';
import type { Family } from '#burnish/optimizer/techniques/technique.js';
import { familyOf, gramOf, outputDistance, randomInputs, randomMatrix } from './numbers.js';

const { signal } = new AbortController();
const algebra = createLinearAlgebra(2);
const context = { algebra, signal };
afterAll(() => algebra.close());

const GRID = { bits: 3, groupSize: 32, symmetric: false, scaleType: 'F16' } as const;
const PLAIN: GptqSettings = { grid: GRID, order: 'natural', damping: 0.01, range: 'cover' };

/** The inverse of a matrix by elimination with pivoting, in f64. */
function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length;
  const work = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k; i < n; i++) {
      if (Math.abs(work[i]?.[k] ?? 0) > Math.abs(work[pivot]?.[k] ?? 0)) pivot = i;
    }
    const [lead, swapped] = [work[pivot] ?? [], work[k] ?? []];
    work[pivot] = swapped;
    work[k] = lead.map((value) => value / (lead[k] ?? 1));
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const share = work[i]?.[k] ?? 0;
      work[i] = (work[i] ?? []).map((value, j) => value - share * (work[k]?.[j] ?? 0));
    }
  }
  return work.map((row) => row.slice(n));
}

/**
 * Rounding with compensation as it was first described (Optimal Brain Quantization in a fixed order):
 * after each column the inverse of what remains of the Hessian is computed afresh, and all remaining
 * weights move against it.
 */
function naive(family: Family, settings: GptqSettings, order: readonly number[]): Uint8Array {
  const { columns, gram } = family.inputs;
  const [weight] = family.weights;
  if (weight === undefined) throw new Error('the family is empty');
  const grid = fitGrid(settings.grid, columns, 'naive');
  const diagonal = Float32Array.from({ length: columns }, (_, i) => gram[i * columns + i] ?? 0);
  const scales = chooseScales(grid, weight, settings.range, diagonal);
  const damp = (settings.damping * diagonal.reduce((a, b) => a + b, 0)) / columns;
  const codes = new Uint8Array(weight.values.length);
  const working = Float64Array.from(weight.values);
  let remaining = [...order];
  while (remaining.length > 0) {
    const hessian = remaining.map((i) =>
      remaining.map((j) => (gram[i * columns + j] ?? 0) + (i === j ? damp : 0)),
    );
    const [first = []] = inverse(hessian);
    const [column = 0] = remaining;
    for (let row = 0; row < weight.rows; row++) {
      const at = row * columns + column;
      const group = row * grid.groups + Math.floor(column / grid.groupSize);
      const scale = scales.scales[group] ?? 0;
      const zeroPoint = scales.zeroPoints[group] ?? 0;
      codes[at] = nearestCode(grid, working[at] ?? 0, scale, zeroPoint);
      const error = (working[at] ?? 0) - ((codes[at] ?? 0) - zeroPoint) * scale;
      for (const [k, other] of remaining.entries()) {
        const to = row * columns + other;
        working[to] = (working[to] ?? 0) - (error * (first[k] ?? 0)) / (first[0] ?? 1);
      }
    }
    remaining = remaining.slice(1);
  }
  return codes;
}

function onlyIntegers(weight: unknown): EncodedIntegers {
  const encoded = weight as EncodedIntegers;
  expect(encoded.kind).toBe('integers');
  return encoded;
}

describe('GPTQ', () => {
  test.each(['natural', 'activity'] as const)(
    'rounds as Optimal Brain Quantization does in the %s order',
    async (order) => {
      const random = seededRandom(11);
      const inputs = randomInputs(random, 200, 70);
      const family = familyOf(inputs, [randomMatrix(random, 6, 70)]);
      const settings: GptqSettings = { ...PLAIN, order };
      const { layers } = await gptq(settings).encode(family, context);
      const columns = Array.from({ length: 70 }, (_, i) => i);
      const energy = (i: number): number => family.inputs.gram[i * 70 + i] ?? 0;
      if (order === 'activity') columns.sort((a, b) => energy(b) - energy(a));
      expect(onlyIntegers(layers[0]?.weight).codes).toEqual(naive(family, settings, columns));
    },
  );

  test('errs less than rounding to nearest, and says by how much', async () => {
    const random = seededRandom(3);
    const inputs = randomInputs(random, 300, 96);
    const weight = randomMatrix(random, 20, 96);
    const family = familyOf(inputs, [weight]);
    const zero = { ...weight, values: new Float32Array(weight.values.length) };
    const { layers } = await gptq(PLAIN).encode(family, context);
    const [layer] = layers;
    if (layer === undefined) throw new Error('no layer came back');
    const distance = outputDistance(inputs, weight, decodeWeight(layer.weight));
    const whole = outputDistance(inputs, weight, zero);
    expect(layer.error.output).toBeCloseTo(Math.sqrt(distance / whole), 4);

    const grid = fitGrid(GRID, 96, 'nearest');
    const scales = chooseScales(grid, weight, 'cover', new Float32Array(96).fill(1));
    const nearest = weight.values.map((value, at) => {
      const group = Math.floor(at / 96) * grid.groups + Math.floor((at % 96) / 32);
      const zeroPoint = scales.zeroPoints[group] ?? 0;
      const scale = scales.scales[group] ?? 0;
      return (nearestCode(grid, value, scale, zeroPoint) - zeroPoint) * scale;
    });
    expect(distance).toBeLessThan(
      0.8 * outputDistance(inputs, weight, { ...weight, values: nearest }),
    );
  });

  test('can make groups of the most active columns, and names the group of each', async () => {
    const random = seededRandom(4);
    const inputs = randomInputs(random, 200, 64);
    const weight = randomMatrix(random, 9, 64);
    const family = familyOf(inputs, [weight]);
    const settings: GptqSettings = { ...PLAIN, order: 'activity-groups' };
    const { layers } = await gptq(settings).encode(family, context);
    const encoded = onlyIntegers(layers[0]?.weight);
    const energies = Array.from({ length: 64 }, (_, i) => family.inputs.gram[i * 65] ?? 0);
    const groups = [0, 1].map((group) =>
      energies.filter((_, column) => encoded.groupOf?.[column] === group),
    );
    expect(groups.map((group) => group.length)).toEqual([32, 32]);
    expect(Math.min(...(groups[0] ?? []))).toBeGreaterThanOrEqual(Math.max(...(groups[1] ?? [])));
    const worst = decodeWeight(encoded).values.map((value, at) =>
      Math.abs(value - (weight.values[at] ?? 0)),
    );
    expect(Math.max(...worst)).toBeLessThan(4);
    expect(layers[0]?.error.output).toBeLessThan(0.3);
  });

  test('makes up for errors of the layers before it where it knows the original inputs', async () => {
    const random = seededRandom(8);
    const inputs = randomInputs(random, 400, 64);
    const drifted = {
      ...inputs,
      values: inputs.values.map((x, at) => x * (at % 64 < 20 ? 0.9 : 1) + 0.05 * (random() - 0.5)),
    };
    const weight = randomMatrix(random, 12, 64);
    const family = familyOf(drifted, [weight]);
    const original = new Float32Array(64 * 64);
    for (let i = 0; i < 64; i++) {
      for (let j = 0; j < 64; j++) {
        let sum = 0;
        for (let t = 0; t < 400; t++) {
          sum += (drifted.values[t * 64 + i] ?? 0) * (inputs.values[t * 64 + j] ?? 0);
        }
        original[i * 64 + j] = sum;
      }
    }
    const grid = { ...GRID, bits: 8 };
    const settings: GptqSettings = { ...PLAIN, grid, order: 'activity', damping: 1e-4 };
    const informed = { ...family, inputs: { ...family.inputs, original } };
    const [without, with_] = await Promise.all(
      [family, informed].map(async (given) => {
        const { layers } = await gptq(settings).encode(given, context);
        return decodeWeight(onlyIntegers(layers[0]?.weight));
      }),
    );
    if (without === undefined || with_ === undefined) throw new Error('no layer came back');
    expect(distanceToOriginal(inputs, weight, drifted, with_)).toBeLessThan(
      0.1 * distanceToOriginal(inputs, weight, drifted, without),
    );
  });
});

/** `‖X′Wᵀ − XŴᵀ‖²`. */
function distanceToOriginal(
  original: Matrix,
  weight: Matrix,
  now: Matrix,
  rounded: Matrix,
): number {
  const both = (a: Matrix, b: Matrix): Float32Array =>
    Float32Array.from({ length: a.values.length + b.values.length }, (_, at) => {
      const width = a.columns + b.columns;
      const [row, column] = [Math.floor(at / width), at % width];
      return column < a.columns
        ? (a.values[row * a.columns + column] ?? 0)
        : (b.values[row * b.columns + column - a.columns] ?? 0);
    });
  const columns = original.columns * 2;
  const inputs = { rows: original.rows, columns, values: both(original, now) };
  const joined = { rows: weight.rows, columns, values: both(weight, rounded) };
  // [X′ X]·[W −Ŵ]ᵀ is the difference of the two outputs.
  const values = joined.values.map((value, at) => (at % columns < weight.columns ? value : -value));
  const zero = { ...joined, values: new Float32Array(values.length) };
  return outputDistance(inputs, { ...joined, values }, zero);
}

describe('coordinate descent', () => {
  const grid = fitGrid({ bits: 2, groupSize: 4, symmetric: true, scaleType: 'F16' }, 4, 'tiny');

  test('never errs more than before, and never less than the best of all codes', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      const random = seededRandom(seed);
      const inputs = randomInputs(random, 30, 4);
      const weight = randomMatrix(random, 5, 4);
      const gram = gramOf(inputs);
      const scales = chooseScales(grid, weight, 'cover', new Float32Array(4).fill(1));
      const codes = weight.values.map((value, at) => {
        const scale = scales.scales[Math.floor(at / 4)] ?? 0;
        return nearestCode(grid, value, scale, 2);
      });
      const given = Uint8Array.from(codes);
      const found = given.slice();
      const rounded = { grid, weight, codes: found, scales };
      await refine(rounded, gram, { sweeps: 9, scales: false }, { algebra, signal });
      const distance = (chosen: Uint8Array): number =>
        outputDistance(inputs, weight, decodeWeight(encodedIntegers(grid, 5, 4, chosen, scales)));
      const tolerance = 1e-5 * distance(given);
      expect(distance(found)).toBeLessThanOrEqual(distance(given) + tolerance);
      expect(distance(found)).toBeGreaterThanOrEqual(bestOfAll(inputs, weight, scales) - tolerance);
    }
  });

  /** The least error over all codes, row by row. */
  function bestOfAll(
    inputs: Matrix,
    weight: Matrix,
    scales: { readonly scales: Float32Array },
  ): number {
    let sum = 0;
    for (let row = 0; row < weight.rows; row++) {
      const one = { rows: 1, columns: 4, values: weight.values.subarray(row * 4, row * 4 + 4) };
      const scale = scales.scales[row] ?? 0;
      let best = Number.POSITIVE_INFINITY;
      for (let all = 0; all < 256; all++) {
        const values = Float32Array.from(
          [0, 2, 4, 6],
          (shift) => (((all >> shift) & 3) - 2) * scale,
        );
        best = Math.min(best, outputDistance(inputs, one, { ...one, values }));
      }
      sum += best;
    }
    return sum;
  }

  test.each([
    ['one group in a block', 32],
    ['blocks within a group', 300],
  ])('lowers the error of codes and scales together, with %s', async (_, groupSize) => {
    const random = seededRandom(21);
    const inputs = randomInputs(random, 600, 300);
    const weight = randomMatrix(random, 7, 300);
    const wide = fitGrid({ bits: 3, groupSize, symmetric: false, scaleType: 'F16' }, 300, 'wide');
    const gram = gramOf(inputs);
    const before = chooseScales(wide, weight, 'cover', new Float32Array(300).fill(1));
    const scales = { scales: before.scales.slice(), zeroPoints: before.zeroPoints.slice() };
    const codes = Uint8Array.from(weight.values, (value, at) => {
      const group = Math.floor(at / 300) * wide.groups + Math.floor((at % 300) / groupSize);
      return nearestCode(wide, value, before.scales[group] ?? 0, before.zeroPoints[group] ?? 0);
    });
    const distance = (): number =>
      outputDistance(inputs, weight, decodeWeight(encodedIntegers(wide, 7, 300, codes, scales)));
    let last = distance();
    for (let sweep = 0; sweep < 3; sweep++) {
      const settings = { sweeps: 1, scales: true };
      await refine({ grid: wide, weight, codes, scales }, gram, settings, { algebra, signal });
      const now = distance();
      expect(now).toBeLessThan(last * (sweep === 0 ? 0.7 : 1.0001));
      last = now;
    }
    expect(scales.scales).not.toEqual(before.scales);
  });
});

describe('gptaq', () => {
  test('errs less than GPTQ where nothing came before, and gives the same bytes on one thread and on many', async () => {
    const random = seededRandom(13);
    const inputs = randomInputs(random, 300, 200);
    const family = familyOf(inputs, [
      randomMatrix(random, 150, 200),
      randomMatrix(random, 40, 200),
    ]);
    const settings = {
      grid: GRID,
      order: 'activity',
      scaling: false,
      damping: 0.01,
      sweeps: 3,
    } as const;
    const best = await gptaq(settings).encode(family, context);
    const plain = await gptq(PLAIN).encode(family, context);
    for (const [i, layer] of best.layers.entries()) {
      expect(layer.error.output).toBeLessThan(0.95 * (plain.layers[i]?.error.output ?? 0));
    }
    for (const threads of [1, 5]) {
      const other = createLinearAlgebra(threads);
      const again = await gptaq(settings).encode(family, { algebra: other, signal });
      expect(again).toEqual(best);
      await other.close();
    }
  });

  test('stops when told to', async () => {
    const random = seededRandom(2);
    const family = familyOf(randomInputs(random, 50, 32), [randomMatrix(random, 4, 32)]);
    const stopped = AbortSignal.abort(new Error('no longer wanted'));
    await expect(gptq(PLAIN).encode(family, { algebra, signal: stopped })).rejects.toThrow(
      'no longer wanted',
    );
  });
});
