/** A dense matrix, row after row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

export interface MultiplyOptions {
  /** Multiplies `Aᵀ · B`; A is then given as it lies, `[inner, rows]`. */
  readonly transposeA?: boolean;
  /** Multiplies `A · Bᵀ`; B is then given as it lies, `[columns, inner]`. */
  readonly transposeB?: boolean;
  /** Where the product goes; may be part of a larger array, but not of one that is read. */
  readonly into?: Float32Array;
  /** What becomes of what `into` holds: the product takes its place unless told that it is added to it, or
   * taken off it. */
  readonly change?: 'add' | 'subtract';
}

/**
 * Dense matrix products in f32.
 *
 * A product has the same bits whatever the number of threads.
 */
export interface LinearAlgebra {
  multiply(a: Matrix, b: Matrix, options?: MultiplyOptions): Promise<Matrix>;
  /** Ends what was started; no product may be under way. */
  close(): Promise<void>;
}

/** A matrix of the given rows within a larger one. */
export function rowsOf({ values, columns }: Matrix, first: number, end: number): Matrix {
  return { rows: end - first, columns, values: values.subarray(first * columns, end * columns) };
}

/** The square around the diagonal of a matrix, from `first` to `end`; the matrix itself if that is all. */
export function squareOf(matrix: Matrix, first: number, end: number): Matrix {
  const size = end - first;
  if (size === matrix.rows) return matrix;
  const values = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    const from = (first + i) * matrix.columns;
    values.set(matrix.values.subarray(from + first, from + end), i * size);
  }
  return { rows: size, columns: size, values };
}

/** Wraps values that lie row after row.
 * @throws RangeError if their number is not rows × columns. */
export function matrix(values: Float32Array, rows: number, columns: number): Matrix {
  if (values.length !== rows * columns) {
    throw new RangeError(`${values.length} values are not a matrix of [${rows}, ${columns}]`);
  }
  return { rows, columns, values };
}
