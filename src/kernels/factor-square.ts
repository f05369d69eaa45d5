import { gridKernels } from './grid-kernels.js';

/** `Lᵀ·D·L` of a symmetric matrix. */
export interface SquareFactor {
  /** L, unit lower triangular, less its diagonal: zeros on and above that, `[size, size]`. */
  readonly lower: Float32Array;
  /** The diagonal of D. */
  readonly pivots: Float64Array;
  /** `D⁻¹·L⁻ᵀ`, `[size, size]`; empty where it is not wanted. */
  readonly solver: Float32Array;
}

/**
 * Factors a symmetric matrix in f64, from its last row up.
 *
 * @param square `[size, size]`; its lower triangle is read.
 * @param solves whether the solver is wanted, which takes as long as the factor.
 * @returns undefined where a pivot is not positive.
 */
export function factorSquare(
  square: Float32Array,
  size: number,
  solves = true,
): SquareFactor | undefined {
  const kernels = gridKernels();
  const room = size * (size + (size % 2)) * Float64Array.BYTES_PER_ELEMENT;
  const [matrix, solver, lower, inverse, pivots] = kernels.layOut([
    square.byteLength,
    square.byteLength,
    room,
    room,
    size * Float64Array.BYTES_PER_ELEMENT,
  ]);
  kernels.floats(matrix).set(square);
  if (!kernels.factorSquare(size, matrix, lower, pivots)) return undefined;
  if (solves) kernels.invertFactor(size, lower, pivots, inverse, solver);
  return {
    lower: kernels.floats(matrix).slice(),
    pivots: kernels.doubles(pivots).slice(),
    solver: solves ? kernels.floats(solver).slice() : new Float32Array(),
  };
}
