import { type LinearAlgebra, type Matrix, rowsOf } from './linear-algebra.js';

/** Rows of a panel of a factor: large enough that the work is in products of matrices, small enough
 * that what is done element by element does not show beside them. */
export const PANEL_ROWS = 256;

/**
 * `H = Tᵀ·D·T` of a symmetric positive definite matrix, T lower triangular with a unit diagonal and D
 * diagonal: the Cholesky factorization that starts from the last row.
 *
 * It is the form in which compensating rounding errors needs the matrix: the best value of element `k`
 * after elements `0 … k − 1` were changed by `e` is moved by `Σ T[k, j]·e[j]` (the LDLQ form of GPTQ;
 * Chee et al., "QuIP", 2023, Theorem 6).
 */
export interface TriangularFactor {
  readonly size: number;
  /** Panel `p` has rows from `p·PANEL_ROWS`, and columns from 0 to the last of these rows. What lies on
   * and above T's diagonal there is zero. */
  readonly panels: readonly Matrix[];
  /** The diagonal of D. */
  readonly pivots: Float64Array;
}

/**
 * Factors a symmetric matrix, its rows and columns taken in the given order; their own if undefined.
 *
 * @returns undefined where a pivot is not positive: the matrix is not positive definite in f32.
 */
export async function factor(
  algebra: LinearAlgebra,
  { rows: size, values }: Matrix,
  order: Uint32Array | undefined,
  signal: AbortSignal,
): Promise<TriangularFactor | undefined> {
  const panels = lowerPanels(values, size, order);
  const pivots = new Float64Array(size);
  for (let p = panels.length - 1; p >= 0; p--) {
    signal.throwIfAborted();
    const panel = panels[p];
    if (panel === undefined) throw new RangeError(`there is no panel ${p}`);
    const first = p * PANEL_ROWS;
    const diagonal = factorDiagonal(panel, first);
    if (diagonal === undefined) return undefined;
    pivots.set(diagonal.pivots, first);
    await solvePanel(algebra, panel, first, diagonal);
    await subtractPanel(algebra, panels, p, diagonal.pivots);
  }
  return { size, panels, pivots };
}

function lowerPanels(values: Float32Array, size: number, order: Uint32Array | undefined): Matrix[] {
  const panels: Matrix[] = [];
  for (let first = 0; first < size; first += PANEL_ROWS) {
    const end = Math.min(size, first + PANEL_ROWS);
    const panel = new Float32Array((end - first) * end);
    for (let row = first; row < end; row++) {
      const from = (order?.[row] ?? row) * size;
      const to = (row - first) * end;
      if (order === undefined) panel.set(values.subarray(from, from + end), to);
      else for (let j = 0; j < end; j++) panel[to + j] = values[from + (order[j] ?? 0)] ?? 0;
    }
    panels.push({ rows: end - first, columns: end, values: panel });
  }
  return panels;
}

interface DiagonalFactor {
  /** Unit lower triangular, `[rows, rows]`. */
  readonly lower: Float64Array;
  readonly pivots: Float64Array;
}

/** Factors the square at a panel's right end in f64, from its last row up. */
function factorDiagonal(panel: Matrix, first: number): DiagonalFactor | undefined {
  const { rows, columns, values } = panel;
  const lower = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j <= i; j++) lower[i * rows + j] = values[i * columns + first + j] ?? 0;
  }
  const pivots = new Float64Array(rows);
  for (let k = rows - 1; k >= 0; k--) {
    const row = k * rows;
    const pivot = lower[row + k] ?? 0;
    if (!(pivot > 0)) return undefined;
    pivots[k] = pivot;
    for (let i = 0; i < k; i++) {
      const share = (lower[row + i] ?? 0) / pivot;
      if (share === 0) continue;
      const target = i * rows;
      for (let j = 0; j <= i; j++) {
        lower[target + j] = (lower[target + j] ?? 0) - share * (lower[row + j] ?? 0);
      }
    }
    for (let j = 0; j < k; j++) lower[row + j] = (lower[row + j] ?? 0) / pivot;
    lower[row + k] = 1;
  }
  return { lower, pivots };
}

/** Turns a panel's rows of what is left of H into those of T: `D⁻¹·T_dd⁻ᵀ·H`. */
async function solvePanel(
  algebra: LinearAlgebra,
  panel: Matrix,
  first: number,
  { lower, pivots }: DiagonalFactor,
): Promise<void> {
  const { rows, columns, values } = panel;
  if (first > 0) {
    const left = new Float32Array(rows * first);
    for (let i = 0; i < rows; i++) {
      left.set(values.subarray(i * columns, i * columns + first), i * first);
    }
    const solver = invertTransposed(lower, pivots, rows);
    const solved = await algebra.multiply(
      { rows, columns: rows, values: solver },
      { rows, columns: first, values: left },
    );
    for (let i = 0; i < rows; i++) {
      values.set(solved.values.subarray(i * first, (i + 1) * first), i * columns);
    }
  }
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < rows; j++) {
      values[i * columns + first + j] = j < i ? (lower[i * rows + j] ?? 0) : 0;
    }
  }
}

/** `D⁻¹·L⁻ᵀ` of a unit lower triangular L. */
function invertTransposed(lower: Float64Array, pivots: Float64Array, size: number): Float32Array {
  // Row i of L⁻¹ is that of the identity less L[i, j] times row j of L⁻¹ for all j < i.
  const inverse = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const row = i * size;
    inverse[row + i] = 1;
    for (let j = 0; j < i; j++) {
      const share = lower[row + j] ?? 0;
      if (share === 0) continue;
      const other = j * size;
      for (let k = 0; k <= j; k++) {
        inverse[row + k] = (inverse[row + k] ?? 0) - share * (inverse[other + k] ?? 0);
      }
    }
  }
  const solver = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    const pivot = pivots[i] ?? 1;
    for (let j = i; j < size; j++) solver[i * size + j] = (inverse[j * size + i] ?? 0) / pivot;
  }
  return solver;
}

/** Subtracts `T_pᵀ·D_p·T_p` from the panels before panel `p`. */
async function subtractPanel(
  algebra: LinearAlgebra,
  panels: readonly Matrix[],
  p: number,
  pivots: Float64Array,
): Promise<void> {
  const panel = panels[p];
  if (panel === undefined) return;
  await Promise.all(
    panels.slice(0, p).map(async (target, t) => {
      const first = t * PANEL_ROWS;
      const right = cutColumns(panel, 0, target.columns);
      const left = cutColumns(right, first, target.columns);
      for (let i = 0; i < left.rows; i++) {
        const pivot = pivots[i] ?? 0;
        const row = left.values.subarray(i * left.columns, (i + 1) * left.columns);
        for (let j = 0; j < row.length; j++) row[j] = (row[j] ?? 0) * pivot;
      }
      const product = await algebra.multiply(left, right, { transposeA: true });
      const { values } = target;
      for (let i = 0; i < values.length; i++) {
        values[i] = (values[i] ?? 0) - (product.values[i] ?? 0);
      }
    }),
  );
}

function cutColumns({ rows, columns, values }: Matrix, first: number, end: number): Matrix {
  const width = end - first;
  const cut = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) {
    cut.set(values.subarray(i * columns + first, i * columns + end), i * width);
  }
  return { rows, columns: width, values: cut };
}

/** Rows `first` to `end` of T, which must lie in one panel; the columns are the panel's. */
export function factorRows({ panels }: TriangularFactor, first: number, end: number): Matrix {
  const index = Math.floor(first / PANEL_ROWS);
  const panel = panels[index];
  if (panel === undefined || end > index * PANEL_ROWS + panel.rows) {
    throw new RangeError(`rows ${first} to ${end} do not lie in one panel`);
  }
  return rowsOf(panel, first - index * PANEL_ROWS, end - index * PANEL_ROWS);
}
