import { type QuantizationError, turnErrors } from '../../kernels/index.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import { halfPanels, quadraticForms } from '../linear-algebra/quadratic-form.js';
import { SLAB_ROWS } from './slabs.js';
import type { LayerError } from './technique.js';

/** The error of what a weight was encoded to, and of the layer's output on the calibration inputs. */
export async function layerError(
  algebra: LinearAlgebra,
  { rows, columns, values }: Matrix,
  decoded: Matrix,
  gram: Matrix,
  signal: AbortSignal,
): Promise<LayerError> {
  const room = Math.min(rows, SLAB_ROWS) * columns;
  const turned = { weights: new Float32Array(room), errors: new Float32Array(room) };
  const outputs = { error: 0, whole: 0 };
  const squares = { error: 0, whole: 0 };
  let worst = { absolute: 0, row: 0, column: 0 };
  for (let first = 0; first < rows; first += SLAB_ROWS) {
    const end = Math.min(rows, first + SLAB_ROWS);
    const own = values.subarray(first * columns, end * columns);
    const ownDecoded = decoded.values.subarray(first * columns, end * columns);
    const found = turnErrors(own, ownDecoded, columns, turned);
    squares.error += found.squaredErrors;
    squares.whole += found.squares;
    if (found.worst > worst.absolute) {
      worst = { absolute: found.worst, row: first + found.worstRow, column: found.worstColumn };
    }
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
    outputs.error += Math.max(0, error);
    outputs.whole += Math.max(0, whole);
  }
  const weight: QuantizationError = {
    relativeRms: ratio(squares.error, squares.whole),
    worstAbsolute: worst.absolute,
    worstRow: worst.row,
    worstColumn: worst.column,
    sumSquaredError: squares.error,
    sumSquares: squares.whole,
  };
  return { output: ratio(outputs.error, outputs.whole), weight };
}

function ratio(error: number, whole: number): number {
  return whole > 0 ? Math.sqrt(error / whole) : 0;
}
