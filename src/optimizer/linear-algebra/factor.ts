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
 * @param diagonal what takes the place of the matrix's own, in its own order.
 * @returns undefined where a pivot is not positive: the matrix is not positive definite in f32.
 */
export async function factor(
  algebra: LinearAlgebra,
  { rows: size, values }: Matrix,
  order: Uint32Array | undefined,
  signal: AbortSignal,
  diagonal?: Float32Array,
): Promise<TriangularFactor | undefined> {
  const panels = lowerPanels(values, size, order, diagonal);
  const pivots = new Float64Array(size);
  const room = workingRoom(size);
  for (let p = panels.length - 1; p >= 0; p--) {
    signal.throwIfAborted();
    const panel = panels[p];
    if (panel === undefined) throw new RangeError(`there is no panel ${p}`);
    const first = p * PANEL_ROWS;
    const square = cutColumns(panel, first, panel.columns, room.square);
    const corner = factorSquare(square.values, panel.rows, p > 0);
    if (corner === undefined) return undefined;
    pivots.set(corner.pivots, first);
    pasteColumns(panel, first, corner.lower);
    if (p === 0) break;
    const left = await solveLeft(algebra, panel, first, corner, room);
    for (const [t, target] of panels.slice(0, p).entries()) {
      await subtractPanel(algebra, left, corner.pivots, target, t * PANEL_ROWS, room);
    }
  }
  return { size, panels, pivots };
}

function lowerPanels(
  values: Float32Array,
  size: number,
  order: Uint32Array | undefined,
  diagonal: Float32Array | undefined,
): Matrix[] {
  const panels: Matrix[] = [];
  for (let first = 0; first < size; first += PANEL_ROWS) {
    const end = Math.min(size, first + PANEL_ROWS);
    const panel = new Float32Array((end - first) * end);
    for (let row = first; row < end; row++) {
      const own = order?.[row] ?? row;
      const from = own * size;
      const to = (row - first) * end;
      if (order === undefined) panel.set(values.subarray(from, from + end), to);
      else for (let j = 0; j < end; j++) panel[to + j] = values[from + (order[j] ?? 0)] ?? 0;
      if (diagonal !== undefined) panel[to + row] = diagonal[own] ?? 0;
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

/** Turns what is left of H to the left of a panel's square into T there: `D⁻¹·T_dd⁻ᵀ·H`.
 * @returns it, in `room.product`. */
async function solveLeft(
  algebra: LinearAlgebra,
  panel: Matrix,
  first: number,
  { solver }: SquareFactor,
  room: Room,
): Promise<Matrix> {
  const { rows } = panel;
  const left = cutColumns(panel, 0, first, room.part);
  const into = room.product.subarray(0, left.values.length);
  await algebra.multiply({ rows, columns: rows, values: solver }, left, { into });
  pasteColumns(panel, 0, into);
  return { rows, columns: first, values: into };
}

/** Subtracts `T_pᵀ·D_p·T_p` from a panel before panel `p`, whose rows start at `first`.
 * @param left T_p without the square on the diagonal. */
async function subtractPanel(
  algebra: LinearAlgebra,
  left: Matrix,
  pivots: Float64Array,
  target: Matrix,
  first: number,
  room: Room,
): Promise<void> {
  const isWhole = target.columns === left.columns;
  const right = isWhole ? left : cutColumns(left, 0, target.columns, room.part);
  const scaled = cutColumns(left, first, target.columns, room.square);
  scaleRows(scaled, pivots);
  const into = target.values;
  await algebra.multiply(scaled, right, { transposeA: true, into, change: 'subtract' });
}

function scaleRows({ rows, columns, values }: Matrix, factors: Float64Array): void {
  for (let i = 0; i < rows; i++) {
    const factor = factors[i] ?? 0;
    const end = (i + 1) * columns;
    for (let at = i * columns; at < end; at++) values[at] = (values[at] ?? 0) * factor;
  }
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

/** Writes columns of a matrix from `first` on: numbers row after row, as many as rows have. */
function pasteColumns({ rows, columns, values }: Matrix, first: number, own: Float32Array): void {
  const width = own.length / rows;
  for (let i = 0; i < rows; i++) {
    values.set(own.subarray(i * width, (i + 1) * width), i * columns + first);
  }
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
