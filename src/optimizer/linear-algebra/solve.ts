import { PANEL_ROWS, type TriangularFactor } from './factor.js';
import type { LinearAlgebra, Matrix } from './linear-algebra.js';

/**
 * Solves `H·X = B` by H's factor; B, `[size, columns]`, becomes X.
 *
 * Squares on the diagonal are inverted first, so that all that remains are products of matrices.
 */
export class FactorSolver {
  readonly #factor: TriangularFactor;
  /** Inverses of the squares of T on the diagonal, as `[rows, rows]`. */
  readonly #inverses: readonly Matrix[];

  constructor(factor: TriangularFactor) {
    this.#factor = factor;
    this.#inverses = factor.panels.map(invertSquare);
  }

  async solve(algebra: LinearAlgebra, b: Matrix, signal: AbortSignal): Promise<void> {
    const { panels, pivots } = this.#factor;
    for (let p = panels.length - 1; p >= 0; p--) {
      signal.throwIfAborted();
      await this.#solveTransposedPanel(algebra, b, p);
    }
    for (let row = 0; row < b.rows; row++) {
      const pivot = pivots[row] ?? 1;
      const values = b.values.subarray(row * b.columns, (row + 1) * b.columns);
      for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) / pivot;
    }
    for (let p = 0; p < panels.length; p++) {
      signal.throwIfAborted();
      await this.#solvePanel(algebra, b, p);
    }
  }

  /** `Tᵀ·z = b` in the rows of panel `p`, and what they take from the rows before. */
  async #solveTransposedPanel(algebra: LinearAlgebra, b: Matrix, p: number): Promise<void> {
    const { panel, inverse, rows, first } = this.#parts(b, p);
    const solved = await algebra.multiply(inverse, rows, { transposeA: true });
    rows.values.set(solved.values);
    if (first === 0) return;
    const taken = await algebra.multiply(panel, solved, { transposeA: true });
    const before = first * b.columns;
    for (let i = 0; i < before; i++) b.values[i] = (b.values[i] ?? 0) - (taken.values[i] ?? 0);
  }

  /** `T·x = z` in the rows of panel `p`, those before being solved. */
  async #solvePanel(algebra: LinearAlgebra, b: Matrix, p: number): Promise<void> {
    const { panel, inverse, rows, first } = this.#parts(b, p);
    if (first > 0) {
      // The panel's own square is left out: only what is solved already is to be taken off.
      const before = cutLeft(panel, first);
      const solved = {
        rows: first,
        columns: b.columns,
        values: b.values.subarray(0, first * b.columns),
      };
      const taken = await algebra.multiply(before, solved);
      for (let i = 0; i < taken.values.length; i++) {
        rows.values[i] = (rows.values[i] ?? 0) - (taken.values[i] ?? 0);
      }
    }
    rows.values.set((await algebra.multiply(inverse, rows)).values);
  }

  #parts(b: Matrix, p: number) {
    const panel = this.#factor.panels[p];
    const inverse = this.#inverses[p];
    if (panel === undefined || inverse === undefined) throw new RangeError(`no panel ${p}`);
    const first = p * PANEL_ROWS;
    const values = b.values.subarray(first * b.columns, (first + panel.rows) * b.columns);
    return { panel, inverse, first, rows: { rows: panel.rows, columns: b.columns, values } };
  }
}

/** The inverse of the unit lower triangle at a panel's right end. */
function invertSquare({ rows, columns, values }: Matrix): Matrix {
  const first = columns - rows;
  const inverse = new Float64Array(rows * rows);
  for (let i = 0; i < rows; i++) {
    const row = inverse.subarray(i * rows, (i + 1) * rows);
    row[i] = 1;
    for (let j = 0; j < i; j++) {
      const share = values[i * columns + first + j] ?? 0;
      if (share === 0) continue;
      const other = inverse.subarray(j * rows, j * rows + j + 1);
      for (let k = 0; k <= j; k++) row[k] = (row[k] ?? 0) - share * (other[k] ?? 0);
    }
  }
  return { rows, columns: rows, values: Float32Array.from(inverse) };
}

function cutLeft({ rows, columns, values }: Matrix, end: number): Matrix {
  const cut = new Float32Array(rows * end);
  for (let i = 0; i < rows; i++) cut.set(values.subarray(i * columns, i * columns + end), i * end);
  return { rows, columns: end, values: cut };
}
