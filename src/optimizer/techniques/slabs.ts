import type { Matrix } from '../linear-algebra/linear-algebra.js';

/**
 * Rows of a weight are independent problems. They are worked on in slabs of rows that lie transposed,
 * so that what is done to a column is done to consecutive numbers, and several slabs are under way at
 * a time: the products of some run on other threads while this one does the elements of another.
 */

/** Rows of a slab. Fixed, as the last bits of products depend on it. */
export const SLAB_ROWS = 384;

/** Runs `work(first, end)` for the rows of each slab, `width` slabs at a time. */
export async function forEachSlab(
  rows: number,
  width: number,
  signal: AbortSignal,
  work: (first: number, end: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < rows) {
      signal.throwIfAborted();
      const first = next;
      next = Math.min(rows, first + SLAB_ROWS);
      await work(first, next);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, lane));
  for (const ended of lanes) if (ended.status === 'rejected') throw ended.reason;
}

/** Rows `first` to `end` of a matrix, transposed: `[columns, end − first]`. */
export function transposeRows(
  { columns, values }: Matrix,
  first: number,
  end: number,
): Float32Array {
  const width = end - first;
  const transposed = new Float32Array(columns * width);
  // Square tiles keep both sides within the cache.
  for (let tile = 0; tile < columns; tile += TILE) {
    const tileEnd = Math.min(columns, tile + TILE);
    for (let row = 0; row < width; row++) {
      const from = (first + row) * columns;
      for (let column = tile; column < tileEnd; column++) {
        transposed[column * width + row] = values[from + column] ?? 0;
      }
    }
  }
  return transposed;
}

/** Writes a slab's transposed elements `[columns, end − first]` to rows `first` to `end`. */
export function writeTransposed(
  transposed: Uint8Array,
  columns: number,
  first: number,
  end: number,
  target: Uint8Array,
): void {
  const width = end - first;
  for (let tile = 0; tile < columns; tile += TILE) {
    const tileEnd = Math.min(columns, tile + TILE);
    for (let row = 0; row < width; row++) {
      const to = (first + row) * columns;
      for (let column = tile; column < tileEnd; column++) {
        target[to + column] = transposed[column * width + row] ?? 0;
      }
    }
  }
}

const TILE = 32;
