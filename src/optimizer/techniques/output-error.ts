import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import type { LayerError } from './technique.js';

/** Rows whose products are held at a time. */
const PIECE_ROWS = 1024;

/** `tr(E·G·Eᵀ)`: the squared error of a layer's output whose weight is off by E. */
export async function outputEnergy(
  algebra: LinearAlgebra,
  errors: Matrix,
  gram: Matrix,
  signal: AbortSignal,
): Promise<number> {
  const { rows, columns, values } = errors;
  let sum = 0;
  for (let first = 0; first < rows; first += PIECE_ROWS) {
    signal.throwIfAborted();
    const end = Math.min(rows, first + PIECE_ROWS);
    const piece = values.subarray(first * columns, end * columns);
    const product = await algebra.multiply({ rows: end - first, columns, values: piece }, gram);
    sum += dot(piece, product.values);
  }
  // A semidefinite form; less than zero is rounding.
  return Math.max(0, sum);
}

/** The error of a weight and of the layer's output on the calibration inputs. */
export async function layerError(
  algebra: LinearAlgebra,
  weight: Matrix,
  decoded: Matrix,
  gram: Matrix,
  signal: AbortSignal,
): Promise<LayerError> {
  const errors = new Float32Array(weight.values.length);
  for (let i = 0; i < errors.length; i++) {
    errors[i] = (weight.values[i] ?? 0) - (decoded.values[i] ?? 0);
  }
  const off = await outputEnergy(algebra, { ...weight, values: errors }, gram, signal);
  const whole = await outputEnergy(algebra, weight, gram, signal);
  return {
    output: ratio(off, whole),
    weight: ratio(dot(errors, errors), dot(weight.values, weight.values)),
  };
}

function ratio(error: number, whole: number): number {
  return whole > 0 ? Math.sqrt(error / whole) : 0;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
}
