import { describe, expect, test } from 'vitest';
import { factorSquare } from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

/** `MᵀM` of a random matrix, plus the identity. */
function definite(size: number): Float32Array {
  const random = seededRandom(size);
  const inputs = Array.from({ length: size + 3 }, () =>
    Array.from({ length: size }, () => random() - 0.5),
  );
  return Float32Array.from({ length: size * size }, (_, at) => {
    const [i, j] = [Math.floor(at / size), at % size];
    const start = i === j ? 1 : 0;
    return inputs.reduce((sum, row) => sum + (row[i] ?? 0) * (row[j] ?? 0), start);
  });
}

describe('the factor of a square', () => {
  test.each([1, 2, 3, 4, 5, 7, 8, 33, 66])(
    'of %i rows multiplies back, and is inverted',
    (size) => {
      const square = definite(size);
      const factored = factorSquare(square, size);
      if (factored === undefined) throw new Error('the matrix is positive definite');
      const { lower, pivots, solver } = factored;
      const unit = (i: number, j: number): number => (i === j ? 1 : (lower[i * size + j] ?? 0));
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          if (j >= i) expect(lower[i * size + j]).toBe(0);
          let product = 0;
          let identity = 0;
          for (let k = 0; k < size; k++) {
            product += unit(k, i) * (pivots[k] ?? 0) * (k >= j ? unit(k, j) : 0) * (k >= i ? 1 : 0);
            // D⁻¹·L⁻ᵀ · Lᵀ·D is the identity.
            identity += (solver[i * size + k] ?? 0) * (j >= k ? unit(j, k) : 0) * (pivots[j] ?? 0);
          }
          expect(product).toBeCloseTo(square[i * size + j] ?? 0, 5);
          expect(identity).toBeCloseTo(i === j ? 1 : 0, 5);
        }
      }
    },
  );

  test('reads the lower triangle alone, and changes nothing', () => {
    const square = definite(9);
    const mirrored = square.map((value, at) => (at % 9 > Math.floor(at / 9) ? Number.NaN : value));
    const before = mirrored.slice();
    expect(factorSquare(mirrored, 9)).toEqual(factorSquare(square, 9));
    expect(mirrored).toEqual(before);
  });

  test.each([0, 3, 8])('is undefined where the pivot %i is not positive', (pivot) => {
    for (const value of [0, -1, Number.NaN]) {
      const square = definite(9);
      square[pivot * 9 + pivot] = value;
      expect(factorSquare(square, 9)).toBeUndefined();
    }
  });
});
