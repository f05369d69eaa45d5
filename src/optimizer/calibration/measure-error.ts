import type { QuantizationError } from '../../kernels/index.js';
import type { WeightMatrix } from '../forward/weights/weight-source.js';

/** What encoding a weight cost, element by element. */
export function measureError(
  { columns, values }: WeightMatrix,
  decoded: Float32Array,
): QuantizationError {
  let sumSquaredError = 0;
  let sumSquares = 0;
  let worstAbsolute = 0;
  let worst = 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    const difference = Math.abs(value - (decoded[at] ?? 0));
    sumSquares += value * value;
    sumSquaredError += difference * difference;
    if (difference > worstAbsolute) {
      worstAbsolute = difference;
      worst = at;
    }
  }
  return {
    relativeRms: sumSquares === 0 ? 0 : Math.sqrt(sumSquaredError / sumSquares),
    worstAbsolute,
    worstRow: Math.floor(worst / columns),
    worstColumn: worst % columns,
    sumSquaredError,
    sumSquares,
  };
}
