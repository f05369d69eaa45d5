/** A dense matrix, row after row. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/**
 * Dense linear algebra in f32 on all processors.
 *
 * Results are the same, bit for bit, whatever the number of threads.
 */
export interface LinearAlgebra {
  /** `A · B`. */
  multiply(a: Matrix, b: Matrix): Promise<Matrix>;
  /** `A · Bᵀ`. */
  multiplyTransposed(a: Matrix, b: Matrix): Promise<Matrix>;
}
