import { dotProduct } from '../../kernels/index.js';
import type { LinearAlgebra, Matrix } from './linear-algebra.js';

/** Rows of a panel: few enough that little of what lies below the diagonal is multiplied, enough that
 * a product has work for every thread. */
const PANEL_ROWS = 256;

/**
 * Half of a symmetric matrix, from which quadratic forms are computed with little more than half of the
 * work: panels of consecutive rows, each from its first diagonal element to the matrix's right end, with
 * the square around the diagonal, which is whole, at half its value.
 */
export function* halfPanels({ rows: size, values }: Matrix): Generator<Matrix> {
  for (let first = 0; first < size; first += PANEL_ROWS) {
    const rows = Math.min(PANEL_ROWS, size - first);
    const columns = size - first;
    const panel = new Float32Array(rows * columns);
    for (let i = 0; i < rows; i++) {
      const from = (first + i) * size + first;
      panel.set(values.subarray(from, from + columns), i * columns);
      for (let j = i * columns; j < i * columns + rows; j++) panel[j] = (panel[j] ?? 0) / 2;
    }
    yield { rows, columns, values: panel };
  }
}

/**
 * `tr(Eᵀ·G·E)` for each of the matrices E, `[size, any]`.
 *
 * @param panels of G, by {@link halfPanels}.
 */
export async function quadraticForms(
  algebra: LinearAlgebra,
  panels: Iterable<Matrix>,
  matrices: readonly Matrix[],
  signal: AbortSignal,
): Promise<readonly number[]> {
  const sums = matrices.map(() => 0);
  const widest = matrices.reduce((most, { columns }) => Math.max(most, columns), 0);
  const room = new Float32Array(PANEL_ROWS * widest);
  for (const panel of panels) {
    for (const [index, { rows, columns, values }] of matrices.entries()) {
      signal.throwIfAborted();
      const rest = values.subarray((rows - panel.columns) * columns);
      const into = room.subarray(0, panel.rows * columns);
      await algebra.multiply(panel, { rows: panel.columns, columns, values: rest }, { into });
      sums[index] = (sums[index] ?? 0) + 2 * dotProduct(into, rest);
    }
  }
  return sums;
}
