import { afterAll, describe, expect, test } from 'vitest';
import type { Matrix } from '#burnish/optimizer/linear-algebra/linear-algebra.js';
import { createLinearAlgebra } from '#burnish/optimizer/linear-algebra/onnx-algebra.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { chooseScales, type GroupScales } from '#burnish/optimizer/techniques/choose-scales.js';
import {
  type FittedGrid,
  fitGrid,
  nearestCode,
} from '#burnish/optimizer/techniques/integer-grid.js';
import { searchRanges } from '#burnish/optimizer/techniques/search-ranges.js';
import { gramOf, randomInputs, randomMatrix } from './numbers.js';

const { signal } = new AbortController();
const algebra = createLinearAlgebra(2);
afterAll(() => algebra.close());

/** `W − Ŵ` of one row. */
function errorsOf(
  grid: FittedGrid,
  row: Float32Array,
  rangeOf: (group: number) => readonly [scale: number, zeroPoint: number],
): Float64Array {
  return Float64Array.from(row, (weight, column) => {
    const [scale, zeroPoint] = rangeOf(Math.floor(column / grid.groupSize));
    return weight - (nearestCode(grid, weight, scale, zeroPoint) - zeroPoint) * scale;
  });
}

/** `e·G·eᵀ`. */
function energyOf({ columns, values }: Matrix, errors: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < columns; i++) {
    for (let j = 0; j < columns; j++) {
      sum += (errors[i] ?? 0) * (values[i * columns + j] ?? 0) * (errors[j] ?? 0);
    }
  }
  return sum;
}

function energiesOf(
  grid: FittedGrid,
  weight: Matrix,
  gram: Matrix,
  { scales, zeroPoints }: GroupScales,
): readonly number[] {
  return Array.from({ length: weight.rows }, (_, row) => {
    const values = weight.values.subarray(row * weight.columns, (row + 1) * weight.columns);
    const at = row * grid.groups;
    const errors = errorsOf(grid, values, (group) => [
      scales[at + group] ?? 0,
      zeroPoints[at + group] ?? 0,
    ]);
    return energyOf(gram, errors);
  });
}

/** Inputs whose channels have a common part, as the inputs of real layers do. */
function biasedInputs(seed: number, columns: number): Matrix {
  const random = seededRandom(seed);
  const inputs = randomInputs(random, 3 * columns, columns);
  const common = Float32Array.from({ length: columns }, () => 2 * random());
  return { ...inputs, values: inputs.values.map((x, at) => x + (common[at % columns] ?? 0)) };
}

const CASES = [
  { rows: 5, columns: 48, groupSize: 16, bits: 4, symmetric: true },
  { rows: 7, columns: 48, groupSize: 16, bits: 3, symmetric: false },
  // The last group is narrower, and there is more than one slab of rows.
  { rows: 259, columns: 23, groupSize: 8, bits: 2, symmetric: false },
  { rows: 1, columns: 12, groupSize: -1, bits: 4, symmetric: true },
];

describe.each(CASES)(
  'ranges of $rows × $columns in groups of $groupSize at $bits bits, symmetric $symmetric',
  ({ rows, columns, groupSize, bits, symmetric }) => {
    const integers = { bits, symmetric, scaleType: 'BF16' } as const;
    const grid = fitGrid(
      groupSize === -1 ? { ...integers, groupSize: undefined } : { ...integers, groupSize },
      columns,
      'layer',
    );
    const weight = randomMatrix(seededRandom(bits + rows), rows, columns);
    const gram = gramOf(biasedInputs(rows, columns));
    const start = chooseScales(grid, weight, 'cover', new Float32Array(columns).fill(1));
    const found: GroupScales = {
      scales: start.scales.slice(),
      zeroPoints: start.zeroPoints.slice(),
    };

    test('make no row err more, and all together much less', async () => {
      await searchRanges(grid, weight, gram, found, { algebra, signal });
      const before = energiesOf(grid, weight, gram, start);
      const after = energiesOf(grid, weight, gram, found);
      for (const [row, energy] of after.entries()) {
        expect(energy).toBeLessThanOrEqual((before[row] ?? 0) * (1 + 1e-5));
      }
      const sum = (energies: readonly number[]): number => energies.reduce((a, b) => a + b, 0);
      expect(sum(after)).toBeLessThan(0.8 * sum(before));
    });

    test('could not be better by one share of the last group alone', () => {
      const before = energiesOf(grid, weight, gram, found);
      for (const share of [1.1, 1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5]) {
        const narrowed = chooseScales(
          grid,
          { ...weight, values: weight.values.map((value) => value * share) },
          'cover',
          new Float32Array(columns),
        );
        const tried = { scales: found.scales.slice(), zeroPoints: found.zeroPoints.slice() };
        for (let at = grid.groups - 1; at < tried.scales.length; at += grid.groups) {
          tried.scales[at] = narrowed.scales[at] ?? 0;
          tried.zeroPoints[at] = narrowed.zeroPoints[at] ?? 0;
        }
        for (const [row, energy] of energiesOf(grid, weight, gram, tried).entries()) {
          expect(energy).toBeGreaterThanOrEqual((before[row] ?? 0) * (1 - 1e-5));
        }
      }
    });
  },
);

test('groups wider than are searched keep their ranges', async () => {
  const weight = randomMatrix(seededRandom(1), 2, 520);
  const grid = fitGrid(
    { bits: 4, groupSize: undefined, symmetric: true, scaleType: 'BF16' },
    520,
    'layer',
  );
  const ranges = chooseScales(grid, weight, 'cover', new Float32Array(520));
  const before = { scales: ranges.scales.slice(), zeroPoints: ranges.zeroPoints.slice() };
  await searchRanges(grid, weight, gramOf(biasedInputs(1, 520)), ranges, { algebra, signal });
  expect(ranges).toEqual(before);
});

test('an aborted search ends', async () => {
  const abort = new AbortController();
  abort.abort(new Error('enough'));
  const weight = randomMatrix(seededRandom(2), 4, 8);
  const grid = fitGrid({ bits: 4, groupSize: 4, symmetric: true, scaleType: 'F16' }, 8, 'layer');
  const ranges = chooseScales(grid, weight, 'cover', new Float32Array(8));
  const gram = gramOf(biasedInputs(2, 8));
  const context = { algebra, signal: abort.signal };
  await expect(searchRanges(grid, weight, gram, ranges, context)).rejects.toThrow('enough');
});
