import { transpose } from '../../kernels/index.js';
import type { Matrix } from '../linear-algebra/linear-algebra.js';

/** Rows that are worked on together. Enough for every thread to have a share of each product; few
 * enough that the working memory is a fraction of a large weight's. Fixed, so that products are the
 * same on every machine. */
export const SLAB_ROWS = 1024;

/**
 * Rows of a weight are independent problems. They are worked on in slabs of rows that lie transposed,
 * so that what is done to a column is done to consecutive numbers. Runs `work(first, end)` for each.
 *
 * @param most rows of a slab.
 */
export async function forEachSlab(
  rows: number,
  signal: AbortSignal,
  work: (first: number, end: number) => Promise<void>,
  most: number = SLAB_ROWS,
): Promise<void> {
  for (let first = 0; first < rows; first += most) {
    signal.throwIfAborted();
    await work(first, Math.min(rows, first + most));
  }
}

/** Rows `first` to `end` of a matrix, transposed: `[columns, stride]`, filled up with zeros. */
export function transposeRows(
  { columns, values }: Matrix,
  first: number,
  end: number,
  stride: number = end - first,
): Float32Array {
  const transposed = new Float32Array(columns * stride);
  transpose(values.subarray(first * columns, end * columns), columns, transposed, stride);
  return transposed;
}
