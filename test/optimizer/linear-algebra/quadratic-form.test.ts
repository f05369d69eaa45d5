import { afterAll, expect, test } from 'vitest';
import { createLinearAlgebra } from '#burnish/optimizer/linear-algebra/onnx-algebra.js';
import { halfPanels, quadraticForms } from '#burnish/optimizer/linear-algebra/quadratic-form.js';

const algebra = createLinearAlgebra(2);
const { signal } = new AbortController();
afterAll(() => algebra.close());

/** Numbers in [-1, 1) without a pattern. */
function numbers(length: number, seed: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 7919 + seed * 104729) % 2003) / 1001.5 - 1);
}

test.each([1, 3, 127, 128, 129, 300])('forms of a matrix of %i rows are its sums', async (size) => {
  const square = numbers(size * size, 1);
  const gram = square.map(
    (value, at) => (value + (square[(at % size) * size + Math.floor(at / size)] ?? 0)) / 2,
  );
  const matrices = [1, 5, 40].map((columns, index) => ({
    ...{ rows: size, columns },
    values: numbers(size * columns, 2 + index),
  }));
  const panels = halfPanels({ rows: size, columns: size, values: gram });
  const found = await quadraticForms(algebra, panels, matrices, signal);
  for (const [index, { columns, values }] of matrices.entries()) {
    let sum = 0;
    let magnitude = 0;
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        for (let c = 0; c < columns; c++) {
          const left = values[i * columns + c] ?? 0;
          const term = left * (gram[i * size + j] ?? 0) * (values[j * columns + c] ?? 0);
          sum += term;
          magnitude += Math.abs(term);
        }
      }
    }
    expect(Math.abs((found[index] ?? 0) - sum)).toBeLessThanOrEqual(1e-6 * magnitude);
  }
});

test('nothing is computed after an abort', async () => {
  const one = { rows: 1, columns: 1, values: Float32Array.of(1) };
  const stopped = AbortSignal.abort(new Error('enough'));
  await expect(quadraticForms(algebra, halfPanels(one), [one], stopped)).rejects.toThrow('enough');
});
