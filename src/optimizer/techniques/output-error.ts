import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import { dot, halfPanels, quadraticForms } from '../linear-algebra/quadratic-form.js';
import { decodeInto } from './decode-weight.js';
import type { EncodedWeight } from './encoded-weight.js';
import { SLAB_ROWS, transpose } from './slabs.js';
import type { LayerError } from './technique.js';

/** The error of an encoded weight and of the layer's output on the calibration inputs. */
export async function layerError(
  algebra: LinearAlgebra,
  weight: Matrix,
  encoded: EncodedWeight,
  gram: Matrix,
  signal: AbortSignal,
): Promise<LayerError> {
  const { rows, columns, values } = weight;
  const room = Math.min(rows, SLAB_ROWS) * columns;
  const errors = new Float32Array(room);
  const turned = { errors: new Float32Array(room), weights: new Float32Array(room) };
  const sums = { off: 0, whole: 0, squaredErrors: 0, squares: 0 };
  for (let first = 0; first < rows; first += SLAB_ROWS) {
    const end = Math.min(rows, first + SLAB_ROWS);
    const width = end - first;
    const own = values.subarray(first * columns, end * columns);
    const off = errors.subarray(0, own.length);
    decodeInto(encoded, first, end, off);
    for (let i = 0; i < own.length; i++) off[i] = (own[i] ?? 0) - (off[i] ?? 0);
    sums.squaredErrors += dot(off, off);
    sums.squares += dot(own, own);
    const matrices = [off, own].map((from, index) => {
      const target = index === 0 ? turned.errors : turned.weights;
      transpose(from, width, columns, target);
      return { rows: columns, columns: width, values: target.subarray(0, own.length) };
    });
    const [error = 0, whole = 0] = await quadraticForms(
      algebra,
      halfPanels(gram),
      matrices,
      signal,
    );
    // Semidefinite forms; less than zero is rounding.
    sums.off += Math.max(0, error);
    sums.whole += Math.max(0, whole);
  }
  return { output: ratio(sums.off, sums.whole), weight: ratio(sums.squaredErrors, sums.squares) };
}

function ratio(error: number, whole: number): number {
  return whole > 0 ? Math.sqrt(error / whole) : 0;
}
