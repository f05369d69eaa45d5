import { turnErrors } from '../../kernels/index.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import { halfPanels, quadraticForms } from '../linear-algebra/quadratic-form.js';
import { decodeInto } from './decode-weight.js';
import type { EncodedWeight } from './encoded-weight.js';
import { SLAB_ROWS } from './slabs.js';
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
  const decoded = new Float32Array(room);
  const turned = { weights: new Float32Array(room), errors: new Float32Array(room) };
  const sums = { error: 0, whole: 0, squaredErrors: 0, squares: 0 };
  for (let first = 0; first < rows; first += SLAB_ROWS) {
    const end = Math.min(rows, first + SLAB_ROWS);
    const own = values.subarray(first * columns, end * columns);
    decodeInto(encoded, first, end, decoded);
    const squares = turnErrors(own, decoded, columns, turned);
    sums.squaredErrors += squares.errors;
    sums.squares += squares.weights;
    const [error = 0, whole = 0] = await quadraticForms(
      algebra,
      halfPanels(gram),
      [turned.errors, turned.weights].map((numbers) => ({
        ...{ rows: columns, columns: end - first },
        values: numbers.subarray(0, own.length),
      })),
      signal,
    );
    // Semidefinite forms; less than zero is rounding.
    sums.error += Math.max(0, error);
    sums.whole += Math.max(0, whole);
  }
  return { output: ratio(sums.error, sums.whole), weight: ratio(sums.squaredErrors, sums.squares) };
}

function ratio(error: number, whole: number): number {
  return whole > 0 ? Math.sqrt(error / whole) : 0;
}
