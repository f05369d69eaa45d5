import { gridKernels } from './grid-kernels.js';

/** Weights held at a time, with their errors and both of them turned. */
const PIECE_WEIGHTS = 2 ** 18;
/** What the kernel takes rows by. */
const ROW_UNIT = 4;

/** A weight and its errors, transposed. */
export interface TurnedErrors {
  /** `[columns, rows]`. */
  readonly weights: Float32Array;
  /** Weight less what was decoded, `[columns, rows]`. */
  readonly errors: Float32Array;
}

/** What decoded weights are off by. */
export interface ErrorSums {
  readonly squaredErrors: number;
  readonly squares: number;
  /** Largest |weight − decoded|, and where it is. */
  readonly worst: number;
  readonly worstRow: number;
  readonly worstColumn: number;
}

/**
 * Turns rows of a weight, and what decoded ones are off from them, into columns.
 *
 * @param weights `[rows, columns]`, like `decoded`.
 * @param turned gets both.
 */
export function turnErrors(
  weights: Float32Array,
  decoded: Float32Array,
  columns: number,
  turned: TurnedErrors,
): ErrorSums {
  const rows = weights.length / columns;
  const unit = (count: number): number => Math.ceil(count / ROW_UNIT) * ROW_UNIT;
  const pieceRows = unit(Math.min(rows, PIECE_WEIGHTS / columns));
  const length = pieceRows * columns * Float32Array.BYTES_PER_ELEMENT;
  const kernels = gridKernels();
  const [from, decodedFrom, to, errorsTo, sums] = kernels.layOut([
    ...([length, length, length, length] as const),
    4 * Float64Array.BYTES_PER_ELEMENT,
  ]);
  kernels.doubles(sums).fill(0);
  let [worst, worstAt] = [0, 0];
  for (let first = 0; first < rows; first += pieceRows) {
    const end = Math.min(rows, first + pieceRows);
    const width = unit(end - first);
    const [start, stop] = [first * columns, end * columns];
    for (const [region, values] of [
      [from, weights],
      [decodedFrom, decoded],
    ] as const) {
      // Rows that fill up the last unit count for nothing.
      kernels.floats(region).fill(0, stop - start, width * columns);
      kernels.floats(region).set(values.subarray(start, stop));
    }
    kernels.turnErrors(width, columns, [from, decodedFrom, to, errorsTo, sums]);
    const [, , largest = 0, unitRow = 0] = kernels.doubles(sums);
    if (largest > worst) {
      worst = largest;
      worstAt = (first + unitRow) * columns;
      while (Math.abs(Math.fround((weights[worstAt] ?? 0) - (decoded[worstAt] ?? 0))) < worst) {
        worstAt += 1;
      }
    }
    for (const [region, target] of [
      [to, turned.weights],
      [errorsTo, turned.errors],
    ] as const) {
      const values = kernels.floats(region);
      for (let c = 0; c < columns; c++) {
        target.set(values.subarray(c * width, c * width + end - first), c * rows + first);
      }
    }
  }
  const [squaredErrors = 0, squares = 0] = kernels.doubles(sums);
  const worstColumn = worstAt % columns;
  const worstRow = (worstAt - worstColumn) / columns;
  return { squaredErrors, squares, worst, worstRow, worstColumn };
}
