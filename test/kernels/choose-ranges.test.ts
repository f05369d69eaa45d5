import { describe, expect, test } from 'vitest';
import { type CodeGrid, chooseRanges } from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { codeOf, coveringRange, gridsOf, storedScaleOf } from './support/reference-grid.js';

const SHARES = [1, 0.9, 0.75, 0.5];

const SHAPES = [
  { rows: 3, columns: 1, groupSize: 1 },
  { rows: 5, columns: 67, groupSize: 16 },
  { rows: 2, columns: 131, groupSize: 131 },
];

const CASES = SHAPES.flatMap((shape) => gridsOf(shape.groupSize).map((grid) => ({ shape, grid })));

function weightsOf(rows: number, columns: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: rows * columns }, (_, at) =>
    // The first row is of positive numbers, the second of zeros.
    at < columns ? random() : at < 2 * columns ? 0 : (random() - 0.4) ** 3,
  );
}

/** Calls `see` with each group of a weight. */
function forEachGroup(
  { groupSize }: CodeGrid,
  weights: Float32Array,
  columns: number,
  see: (group: readonly number[], first: number, index: number) => void,
): void {
  let index = 0;
  for (let row = 0; row < weights.length; row += columns) {
    for (let first = 0; first < columns; first += groupSize, index++) {
      const end = Math.min(columns, first + groupSize);
      see([...weights.subarray(row + first, row + end)], first, index);
    }
  }
}

function errorOf(
  grid: CodeGrid,
  group: readonly number[],
  importance: readonly number[],
  scale: number,
  zeroPoint: number,
): number {
  return group.reduce((sum, weight, i) => {
    const off = weight - (codeOf(grid, weight, scale, zeroPoint) - zeroPoint) * scale;
    return sum + (importance[i] ?? 0) * off * off;
  }, 0);
}

describe('ranges', () => {
  test.each(CASES)(
    'of $shape.rows × $shape.columns in groups of $shape.groupSize, $grid.bits bits, symmetric $grid.symmetric, cover every weight',
    ({ shape: { rows, columns }, grid }) => {
      const weights = weightsOf(rows, columns, grid.bits);
      const { scales, zeroPoints } = chooseRanges(grid, weights, columns, undefined);
      forEachGroup(grid, weights, columns, (group, _, index) => {
        const expected = coveringRange(grid, Math.min(...group), Math.max(...group));
        expect({ scale: scales[index], zeroPoint: zeroPoints[index] }).toEqual(expected);
      });
    },
  );

  test.each(CASES)(
    'of $shape.rows × $shape.columns in groups of $shape.groupSize, $grid.bits bits, symmetric $grid.symmetric, are searched',
    ({ shape: { rows, columns }, grid }) => {
      const weights = weightsOf(rows, columns, 10 + grid.bits);
      const random = seededRandom(3);
      const importance = Float32Array.from({ length: columns }, () => random() ** 2);
      const unpolished = chooseRanges(grid, weights, columns, {
        ...{ importance, shares: SHARES, polishes: 0 },
      });
      const polished = chooseRanges(grid, weights, columns, {
        ...{ importance, shares: SHARES, polishes: 1 },
      });
      forEachGroup(grid, weights, columns, (group, first, index) => {
        const own = [...importance.subarray(first, first + group.length)];
        const error = (scale: number, zeroPoint: number): number =>
          errorOf(grid, group, own, scale, zeroPoint);
        const found = [unpolished.scales[index] ?? 0, unpolished.zeroPoints[index] ?? 0] as const;
        const tried = SHARES.map((share) =>
          coveringRange(grid, Math.min(...group) * share, Math.max(...group) * share),
        );
        expect(tried).toContainEqual({ scale: found[0], zeroPoint: found[1] });
        const least = Math.min(...tried.map(({ scale, zeroPoint }) => error(scale, zeroPoint)));
        expect(error(...found)).toBeLessThanOrEqual(least * (1 + 1e-12));

        // Least squares for the codes as they are; kept if it errs less when weights are rounded anew.
        const steps = group.map((weight) => codeOf(grid, weight, ...found) - found[1]);
        const sum = (of: (i: number) => number): number =>
          group.reduce((all, _, i) => all + (own[i] ?? 0) * of(i), 0);
        const products = sum((i) => (steps[i] ?? 0) * (group[i] ?? 0));
        const squares = sum((i) => (steps[i] ?? 0) ** 2);
        const best = squares > 0 ? storedScaleOf(grid, products / squares) : found[0];
        const kept = least > 0 && error(best, found[1]) < error(...found) ? best : found[0];
        expect(polished.scales[index]).toBe(kept);
        expect(polished.zeroPoints[index]).toBe(found[1]);
      });
    },
  );

  test('are found piece by piece in weights larger than what is held at a time', () => {
    const [rows, columns] = [700, 1000];
    const grid = { bits: 4, groupSize: 128, symmetric: false, scaleType: 'F16' } as const;
    const weights = weightsOf(rows, columns, 5);
    const whole = chooseRanges({ ...grid, lowestZeroPoint: 0 }, weights, columns, undefined);
    expect(whole.scales.length).toBe(rows * 8);
    for (const row of [0, 261, 262, 263, 699]) {
      const own = chooseRanges(
        { ...grid, lowestZeroPoint: 0 },
        weights.subarray(row * columns, (row + 1) * columns),
        columns,
        undefined,
      );
      expect(whole.scales.subarray(row * 8, row * 8 + 8)).toEqual(own.scales);
      expect(whole.zeroPoints.subarray(row * 8, row * 8 + 8)).toEqual(own.zeroPoints);
    }
  });
});
