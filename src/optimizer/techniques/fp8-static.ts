import type { FloatType } from '../../kernels/index.js';
import type { EncodedFloat8 } from './encoded-weight.js';
import { checkFamily } from './family-checks.js';
import { finishLayer } from './finish-layer.js';
import { roundTo, smallestScale } from './float-rounding.js';
import { encodeFloat8, LARGEST_FLOAT8 } from './float8.js';
import { largestInput } from './input-statistics.js';
import type { EncodedLayer, LinearWeight, Technique } from './technique.js';

export interface Fp8Settings {
  /** One scale for the whole weight, as compressed-tensors' preset `FP8` has it, or one per row. */
  readonly weightScales: 'tensor' | 'row';
  readonly scaleType: FloatType;
}

/**
 * FP8 E4M3FN weights with static scales for the inputs: the largest input seen in calibration becomes
 * the largest number of the format. Layers of a family have the same input, and so the same scale of it.
 */
export function fp8Static({ weightScales, scaleType }: Fp8Settings): Technique {
  const stored = (largest: number): number =>
    roundTo(scaleType, Math.max(largest / LARGEST_FLOAT8, smallestScale(scaleType)));
  return {
    name: 'fp8',
    sequential: false,
    aimsAtOriginal: false,
    evenTokens: false,
    magnitudes: true,
    async encode(family, context) {
      checkFamily(family);
      const { inputs, weights, name } = family;
      const largest = largestInput(inputs);
      const inputScale = stored(largest);
      const layers: EncodedLayer[] = [];
      for (const weight of weights) {
        context.signal.throwIfAborted();
        const { rows, columns } = weight;
        const scales = (weightScales === 'tensor' ? [wholeOf(weight)] : rowsOf(weight)).map(
          (part) => stored(largestMagnitude(part)),
        );
        const encoded: EncodedFloat8 = {
          kind: 'float8',
          rows,
          columns,
          codes: encodeRows(weight, scales),
          scales: Float32Array.from(scales),
          scaleType,
          inputScale,
        };
        layers.push(await finishLayer(weight, encoded, inputs, context));
      }
      const notes = largest === 0 ? [`${name}: its input was zero throughout calibration.`] : [];
      return { layers, notes };
    },
  };
}

function wholeOf({ values }: LinearWeight): Float32Array {
  return values;
}

function rowsOf({ rows, columns, values }: LinearWeight): Float32Array[] {
  return Array.from({ length: rows }, (_, r) => values.subarray(r * columns, (r + 1) * columns));
}

function largestMagnitude(values: Float32Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
  return largest;
}

function encodeRows(
  { rows, columns, values }: LinearWeight,
  scales: readonly number[],
): Uint8Array {
  const codes = new Uint8Array(values.length);
  for (let row = 0; row < rows; row++) {
    const scale = scales[scales.length === 1 ? 0 : row] ?? 1;
    for (let at = row * columns; at < (row + 1) * columns; at++) {
      codes[at] = encodeFloat8((values[at] ?? 0) / scale);
    }
  }
  return codes;
}
