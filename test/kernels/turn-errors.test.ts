import { describe, expect, test } from 'vitest';
import { dotProduct, turnErrors } from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

function numbers(length: number, seed: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length }, () => random() - 0.5);
}

function sumOf(length: number, of: (i: number) => number): number {
  return Array.from({ length }, (_, i) => of(i)).reduce((sum, value) => sum + value, 0);
}

describe('turned errors', () => {
  const shapes: readonly (readonly [number, number])[] = [
    [1, 1],
    [3, 5],
    [4, 4],
    [9, 130],
    // More than is held at a time.
    [1001, 601],
  ];
  test.each(shapes)('of %i × %i are differences, by columns', (rows, columns) => {
    const weights = numbers(rows * columns, 1);
    const decoded = numbers(rows * columns, 2);
    // Room for more is left alone.
    const room = (): Float32Array => new Float32Array(rows * columns + 7).fill(9);
    const turned = { weights: room(), errors: room() };
    const sums = turnErrors(weights, decoded, columns, turned);

    const expected = { weights: room(), errors: room() };
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const at = r * columns + c;
        expected.weights[c * rows + r] = weights[at] ?? 0;
        expected.errors[c * rows + r] = (weights[at] ?? 0) - (decoded[at] ?? 0);
      }
    }
    expect(turned.weights).toEqual(expected.weights);
    expect(turned.errors).toEqual(expected.errors);
    const square = (values: Float32Array) =>
      sumOf(rows * columns, (i) => (values[i] ?? 0) * (values[i] ?? 0));
    expect(sums.squares / square(expected.weights)).toBeCloseTo(1, 12);
    expect(sums.squaredErrors / square(expected.errors)).toBeCloseTo(1, 12);
    const { worst, worstRow, worstColumn } = sums;
    const magnitudes = expected.errors.subarray(0, rows * columns).map(Math.abs);
    expect(worst).toBe(magnitudes.reduce((most, error) => Math.max(most, error), 0));
    expect(magnitudes[worstColumn * rows + worstRow]).toBe(worst);
  });
});

describe('a product of vectors', () => {
  test.each([0, 1, 3, 4, 9, 16384, 40001])('of %i elements is summed up', (length) => {
    const [a, b] = [numbers(length, 3), numbers(length + 2, 4)];
    expect(dotProduct(a, b)).toBeCloseTo(
      sumOf(length, (i) => (a[i] ?? 0) * (b[i] ?? 0)),
      10,
    );
  });
});
