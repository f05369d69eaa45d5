import type { Matrix } from '../linear-algebra/linear-algebra.js';

/** Positions of numbers in descending order; equal ones keep theirs. */
export function descending(values: Float64Array | Float32Array): Uint32Array {
  const order = Uint32Array.from(values, (_, index) => index);
  return order.sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0) || a - b);
}

/** A symmetric matrix with its rows and columns in another order. */
export function permuteSymmetric({ rows, values }: Matrix, order: Uint32Array): Matrix {
  const permuted = new Float32Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    const from = (order[i] ?? 0) * rows;
    const to = i * rows;
    for (let j = 0; j < rows; j++) permuted[to + j] = values[from + (order[j] ?? 0)] ?? 0;
  }
  return { rows, columns: rows, values: permuted };
}

/** A matrix whose column `j` is column `order[j]` of another. */
export function permuteColumns({ rows, columns, values }: Matrix, order: Uint32Array): Matrix {
  const permuted = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += columns) {
    for (let j = 0; j < columns; j++) permuted[start + j] = values[start + (order[j] ?? 0)] ?? 0;
  }
  return { rows, columns, values: permuted };
}
