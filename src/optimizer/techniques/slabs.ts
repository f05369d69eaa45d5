import type { Matrix } from '../linear-algebra/linear-algebra.js';

/** Rows that are worked on together. Enough for every thread to have a share of each product; few
 * enough that the working memory is a fraction of a large weight's. Fixed, so that products are the
 * same on every machine. */
export const SLAB_ROWS = 1024;

/**
 * Rows of a weight are independent problems. They are worked on in slabs of rows that lie transposed,
 * so that what is done to a column is done to consecutive numbers. Runs `work(first, end)` for each.
 */
export async function forEachSlab(
  rows: number,
  signal: AbortSignal,
  work: (first: number, end: number) => Promise<void>,
): Promise<void> {
  for (let first = 0; first < rows; first += SLAB_ROWS) {
    signal.throwIfAborted();
    await work(first, Math.min(rows, first + SLAB_ROWS));
  }
}

/** Rows `first` to `end` of a matrix, transposed: `[columns, end − first]`. */
export function transposeRows(
  { columns, values }: Matrix,
  first: number,
  end: number,
): Float32Array {
  const transposed = new Float32Array((end - first) * columns);
  transpose(values.subarray(first * columns, end * columns), end - first, columns, transposed);
  return transposed;
}

/** Writes a matrix `[rows, columns]` to another, transposed. */
export function transpose<Numbers extends Float32Array | Uint8Array>(
  values: Numbers,
  rows: number,
  columns: number,
  target: Numbers,
): void {
  // Square tiles keep both sides within the cache.
  for (let row = 0; row < rows; row += TILE) {
    const rowEnd = Math.min(rows, row + TILE);
    for (let column = 0; column < columns; column += TILE) {
      const columnEnd = Math.min(columns, column + TILE);
      for (let c = column; c < columnEnd; c++) {
        const to = c * rows;
        for (let r = row; r < rowEnd; r++) target[to + r] = values[r * columns + c] ?? 0;
      }
    }
  }
}

const TILE = 32;
