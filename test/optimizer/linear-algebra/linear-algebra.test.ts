import { afterAll, describe, expect, test } from 'vitest';
import { factor, factorPart, PANEL_ROWS } from '#burnish/optimizer/linear-algebra/factor.js';
import { type Matrix, matrix } from '#burnish/optimizer/linear-algebra/linear-algebra.js';
import { createLinearAlgebra } from '#burnish/optimizer/linear-algebra/onnx-algebra.js';
import { FactorSolver } from '#burnish/optimizer/linear-algebra/solve.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { gramOf, randomMatrix } from '../techniques/numbers.js';

const { signal } = new AbortController();
const algebra = createLinearAlgebra(2);
afterAll(() => algebra.close());

/** A·B element by element, in f64. */
function product(a: Matrix, b: Matrix, transposeA: boolean, transposeB: boolean): number[] {
  const at = (m: Matrix, turned: boolean, i: number, j: number): number =>
    m.values[turned ? j * m.columns + i : i * m.columns + j] ?? Number.NaN;
  const rows = transposeA ? a.columns : a.rows;
  const inner = transposeA ? a.rows : a.columns;
  const columns = transposeB ? b.rows : b.columns;
  const result: number[] = [];
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += at(a, transposeA, i, k) * at(b, transposeB, k, j);
      result.push(sum);
    }
  }
  return result;
}

describe('products', () => {
  test.each([
    [1, 1, 1],
    [3, 5, 2],
    [17, 300, 33],
    [64, 129, 100],
  ])('agree with sums of products for %i × %i × %i, either factor transposed', async (m, k, n) => {
    const random = seededRandom(m * k * n);
    for (const transposeA of [false, true]) {
      for (const transposeB of [false, true]) {
        const a = transposeA ? randomMatrix(random, k, m) : randomMatrix(random, m, k);
        const b = transposeB ? randomMatrix(random, n, k) : randomMatrix(random, k, n);
        const { values, rows, columns } = await algebra.multiply(a, b, { transposeA, transposeB });
        expect([rows, columns]).toEqual([m, n]);
        const expected = product(a, b, transposeA, transposeB);
        const off = expected.map((number, i) => Math.abs(number - (values[i] ?? Number.NaN)));
        expect(Math.max(...off)).toBeLessThan(1e-5 * Math.sqrt(k) * 10);
      }
    }
  });

  test('go where they are asked to', async () => {
    const into = new Float32Array(6).fill(9);
    const a = matrix(Float32Array.of(1, 2, 3, 4), 2, 2);
    await algebra.multiply(a, a, { into: into.subarray(1, 5) });
    expect([...into]).toEqual([9, 7, 10, 15, 22, 9]);
  });

  test('of matrices that do not fit are refused', async () => {
    const a = matrix(new Float32Array(6), 2, 3);
    await expect(algebra.multiply(a, a)).rejects.toThrow('[2, 3] and [2, 3] cannot be multiplied');
    await expect(
      algebra.multiply(a, a, { transposeB: true, into: new Float32Array(3) }),
    ).rejects.toThrow('[2, 2] does not fit 3 values');
    expect(() => matrix(new Float32Array(5), 2, 3)).toThrow(RangeError);
  });

  test('have the same bits on one thread and on many', async () => {
    const others = [1, 3, 4, 8].map((threads) => createLinearAlgebra(threads));
    const random = seededRandom(7);
    const sizes = [3, 16, 17, 33, 64, 100, 128, 256, 300, 576, 777];
    const draw = (): number => sizes[Math.floor(random() * sizes.length)] ?? 1;
    for (let round = 0; round < 40; round++) {
      const [m, k, n] = [draw(), draw(), draw()];
      const a = randomMatrix(random, m, k);
      const b = randomMatrix(random, n, k);
      const expected = await algebra.multiply(a, b, { transposeB: true });
      for (const other of others) {
        const found = await other.multiply(a, b, { transposeB: true });
        expect(Buffer.from(found.values.buffer).equals(Buffer.from(expected.values.buffer))).toBe(
          true,
        );
      }
    }
    await Promise.all(others.map((other) => other.close()));
  });
});

describe('the triangular factor', () => {
  test.each([1, 2, 31, PANEL_ROWS, PANEL_ROWS + 1, 2 * PANEL_ROWS + 40])(
    'of a matrix of %i rows multiplies back to it, and solves by it',
    async (size) => {
      const random = seededRandom(size);
      const gram = gramOf(randomMatrix(random, 2 * size, size));
      const factored = await factor(algebra, gram, undefined, signal);
      if (factored === undefined) throw new Error('the matrix is positive definite');
      const lower = unitLower(factored, size);
      let worst = 0;
      let largest = 0;
      for (let i = 0; i < size; i++) {
        for (let j = 0; j <= i; j++) {
          let sum = 0;
          for (let k = i; k < size; k++) {
            const pivot = factored.pivots[k] ?? 0;
            sum += (lower[k * size + i] ?? 0) * pivot * (lower[k * size + j] ?? 0);
          }
          worst = Math.max(worst, Math.abs(sum - (gram.values[i * size + j] ?? 0)));
          largest = Math.max(largest, Math.abs(sum));
        }
      }
      expect(worst).toBeLessThan(1e-5 * largest);

      const wanted = randomMatrix(random, size, 3);
      const right = await algebra.multiply(gram, wanted);
      await new FactorSolver(factored).solve(algebra, right, signal);
      const off = right.values.map((found, i) => Math.abs(found - (wanted.values[i] ?? 0)));
      expect(Math.max(...off)).toBeLessThan(0.01);
    },
  );

  test('does not exist for a matrix that is not positive definite', async () => {
    const singular = matrix(Float32Array.of(1, 1, 1, 1), 2, 2);
    expect(await factor(algebra, singular, undefined, signal)).toBeUndefined();
    const broken = matrix(Float32Array.of(Number.NaN, 0, 0, 1), 2, 2);
    expect(await factor(algebra, broken, undefined, signal)).toBeUndefined();
  });

  test('gives rows of one panel only, and stops when told to', async () => {
    const random = seededRandom(5);
    const size = PANEL_ROWS + 10;
    const gram = gramOf(randomMatrix(random, 2 * size, size));
    const factored = await factor(algebra, gram, undefined, signal);
    if (factored === undefined) throw new Error('the matrix is positive definite');
    const rows = { first: PANEL_ROWS, end: size };
    expect(factorPart(factored, rows).values).toHaveLength(100);
    expect(factorPart(factored, rows, { first: 3, end: 8 }).columns).toBe(5);
    const across = { first: PANEL_ROWS - 1, end: PANEL_ROWS + 1 };
    expect(() => factorPart(factored, across)).toThrow(RangeError);
    await expect(
      factor(algebra, gram, undefined, AbortSignal.abort(new Error('enough'))),
    ).rejects.toThrow('enough');
  });
});

function unitLower({ panels }: { readonly panels: readonly Matrix[] }, size: number): Float64Array {
  const lower = new Float64Array(size * size);
  for (const [p, panel] of panels.entries()) {
    for (let i = 0; i < panel.rows; i++) {
      const row = p * PANEL_ROWS + i;
      lower.set(panel.values.subarray(i * panel.columns, (i + 1) * panel.columns), row * size);
      lower[row * size + row] = 1;
    }
  }
  return lower;
}
