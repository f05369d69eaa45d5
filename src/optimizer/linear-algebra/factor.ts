import { factorSquare, type SquareFactor } from '../../kernels/index.js';
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
  const room = workingRoom(size);
  for (let p = panels.length - 1; p >= 0; p--) {
    signal.throwIfAborted();
    const panel = panels[p];
    if (panel === undefined) throw new RangeError(`there is no panel ${p}`);
    const first = p * PANEL_ROWS;
    const square = cutColumns(panel, first, panel.columns, room.square);
    const diagonal = factorSquare(square.values, panel.rows);
    if (diagonal === undefined) return undefined;
    pivots.set(diagonal.pivots, first);
    await solvePanel(algebra, panel, first, diagonal, room);
    for (const [t, target] of panels.slice(0, p).entries()) {
      await subtractPanel(algebra, panel, diagonal.pivots, target, t * PANEL_ROWS, room);
    }
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

/** Parts of panels that are worked on, and products. */
interface Room {
  /** Of a panel's rows and as many columns. */
  readonly square: Float32Array;
  /** Of a panel's rows and all columns, both. */
  readonly part: Float32Array;
  readonly product: Float32Array;
}

function workingRoom(size: number): Room {
  const rows = Math.min(PANEL_ROWS, size);
  return {
    square: new Float32Array(rows * rows),
    part: new Float32Array(rows * size),
    product: new Float32Array(rows * size),
  };
}

/** Turns a panel's rows of what is left of H into those of T: `D⁻¹·T_dd⁻ᵀ·H`. */
async function solvePanel(
  algebra: LinearAlgebra,
  panel: Matrix,
  first: number,
  { lower, solver }: SquareFactor,
  room: Room,
): Promise<void> {
  const { rows, columns, values } = panel;
  const left = cutColumns(panel, 0, first, room.part);
  const into = room.product.subarray(0, left.values.length);
  await algebra.multiply({ rows, columns: rows, values: solver }, left, { into });
  for (let i = 0; i < rows; i++) {
    values.set(into.subarray(i * first, (i + 1) * first), i * columns);
    values.set(lower.subarray(i * rows, (i + 1) * rows), i * columns + first);
  }
}

/** Subtracts `T_pᵀ·D_p·T_p` from a panel before panel `p`, whose rows start at `first`. */
async function subtractPanel(
  algebra: LinearAlgebra,
  panel: Matrix,
  pivots: Float64Array,
  target: Matrix,
  first: number,
  room: Room,
): Promise<void> {
  const right = cutColumns(panel, 0, target.columns, room.part);
  const left = cutColumns(panel, first, target.columns, room.square);
  scaleRows(left, pivots);
  const into = room.product.subarray(0, target.values.length);
  await algebra.multiply(left, right, { transposeA: true, into });
  subtract(target.values, into);
}

function scaleRows({ rows, columns, values }: Matrix, factors: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const factor = factors[i] ?? 0;
    const end = (i + 1) * columns;
    for (let at = i * columns; at < end; at++) values[at] = (values[at] ?? 0) * factor;
  }
}

function subtract(values: Float32Array, others: Float32Array): void {
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) - (others[i] ?? 0);
}

/** Columns `first` to `end` of a matrix, at the beginning of `room`. */
function cutColumns(
  { rows, columns, values }: Matrix,
  first: number,
  end: number,
  room: Float32Array,
): Matrix {
  const width = end - first;
  const cut = room.subarray(0, rows * width);
  for (let i = 0; i < rows; i++) {
    cut.set(values.subarray(i * columns + first, i * columns + end), i * width);
  }
  return { rows, columns: width, values: cut };
}

/** Consecutive rows or columns. */
export interface Span {
  readonly first: number;
  readonly end: number;
}

/** Some columns of some rows of T; of the same columns as rows unless told.
 * @throws RangeError if the rows lie in more than one panel. */
export function factorPart({ panels }: TriangularFactor, rows: Span, columns = rows): Matrix {
  const index = Math.floor(rows.first / PANEL_ROWS);
  const panel = panels[index];
  const top = index * PANEL_ROWS;
  if (panel === undefined || rows.end > top + panel.rows) {
    throw new RangeError(`rows ${rows.first} to ${rows.end} do not lie in one panel`);
  }
  const part = rowsOf(panel, rows.first - top, rows.end - top);
  const room = new Float32Array(part.rows * (columns.end - columns.first));
  return cutColumns(part, columns.first, columns.end, room);
}
