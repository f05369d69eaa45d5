import { describe, expect, test } from 'vitest';
import { RangeCandidates, type RangeShares } from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { codeOf, coveringRange, gridsOf } from './support/reference-grid.js';

const SHARES: readonly RangeShares[] = [
  [1, 1],
  [0.7, 0.7],
  [1, 0.8],
];
/** More rows than are worked on together, and a number of them that leaves a short piece. */
const ROWS = 76;
const COLUMNS = 5;
const CANDIDATES = SHARES.length + 1;

function numbers(length: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => (random() - 0.4) ** 3);
}

describe.each(gridsOf(COLUMNS))(
  'candidates for $bits bits, symmetric $symmetric, scales in $scaleType',
  (grid) => {
    const weights = numbers(COLUMNS * ROWS, grid.bits);
    const given = {
      scales: new Float32Array(ROWS).fill(2 ** -6),
      zeroPoints: new Float32Array(ROWS).fill(2 ** (grid.bits - 1)),
    };
    const weightsOf = (row: number): readonly number[] =>
      Array.from({ length: COLUMNS }, (_, column) => weights[column * ROWS + row] ?? 0);
    const errorOf = (row: number, column: number, scale: number, zeroPoint: number): number => {
      const weight = weights[column * ROWS + row] ?? 0;
      return weight - (codeOf(grid, weight, scale, zeroPoint) - zeroPoint) * scale;
    };

    test('are the given one and shares of the range, each with what it does to weights', () => {
      const candidates = new RangeCandidates(grid, ROWS, COLUMNS + 2, SHARES);
      const { scales, zeroPoints } = candidates.list(weights, given);
      expect(candidates.count).toBe(CANDIDATES);
      for (let row = 0; row < ROWS; row++) {
        const [least, greatest] = [Math.min(...weightsOf(row)), Math.max(...weightsOf(row))];
        const expected = [
          { scale: 2 ** -6, zeroPoint: 2 ** (grid.bits - 1) },
          ...SHARES.map(([low, high]) =>
            coveringRange(grid, Math.min(0, least) * low, Math.max(0, greatest) * high),
          ),
        ];
        for (const [candidate, { scale, zeroPoint }] of expected.entries()) {
          const at = candidate * ROWS + row;
          expect({ scale: scales[at], zeroPoint: zeroPoints[at] }).toEqual({ scale, zeroPoint });
          for (let column = 0; column < COLUMNS; column++) {
            const found = candidates.errors[(column * CANDIDATES + candidate) * ROWS + row] ?? 9;
            const error = errorOf(row, column, scale, zeroPoint);
            // Halfway between two codes either may be taken.
            expect(Math.abs(Math.abs(found) - Math.abs(error))).toBeLessThan(1e-6 * scale + 1e-7);
          }
        }
      }
    });

    test('multiply their errors with what others do, and with their images', () => {
      const candidates = new RangeCandidates(grid, ROWS, COLUMNS, SHARES);
      const listed = candidates.list(weights, given);
      const errors = candidates.errors.slice();
      const errorAt = (column: number, at: number): number =>
        errors[column * CANDIDATES * ROWS + at] ?? 0;
      const sumOver = (of: (column: number) => number): number =>
        Array.from({ length: COLUMNS }, (_, column) => of(column)).reduce((a, b) => a + b, 0);
      const images = numbers(errors.length, 7);
      candidates.images.set(images);
      const own = candidates.ownProducts().slice();
      // Another group in between changes nothing.
      candidates.errorsOf(numbers(2 * ROWS, 3), given);
      candidates.take(weights, listed);
      const others = numbers(COLUMNS * ROWS, 8);
      const products = candidates.products(others);
      for (let at = 0; at < CANDIDATES * ROWS; at++) {
        const ownSum = sumOver((c) => errorAt(c, at) * (images[c * CANDIDATES * ROWS + at] ?? 0));
        expect(own[at]).toBeCloseTo(ownSum, 6);
        const otherSum = sumOver((c) => errorAt(c, at) * (others[c * ROWS + (at % ROWS)] ?? 0));
        expect(products[at]).toBeCloseTo(otherSum, 6);
      }
    });
  },
);

test('rows that the kernel cannot take are refused', () => {
  const [grid] = gridsOf(4);
  if (grid === undefined) throw new Error('there are no grids');
  expect(() => new RangeCandidates(grid, 6, 4, SHARES)).toThrow('6 rows are no multiple of 4');
});
