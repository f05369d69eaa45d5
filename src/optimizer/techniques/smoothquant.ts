import type { FloatType } from '../../kernels/index.js';
import { checkFamily } from './family-checks.js';
import { foldScales } from './fold-scales.js';
import type { IntegerGrid } from './integer-grid.js';
import { roundFamily } from './round-family.js';
import type { Family, Technique } from './technique.js';

export interface SmoothQuantSettings {
  /** How much of the difficulty of rounding moves from the inputs to the weights: from 0, nothing, to
   * 1, all. The paper recommends 0.5. */
  readonly migrationStrength: number;
  readonly scaleType: FloatType;
}

/** Channels and columns below this would have scales that are all noise. */
const LEAST_MAGNITUDE = 1e-5;

/**
 * SmoothQuant (Xiao et al., 2022): the outliers of input channels move into the weights, so that both
 * can be rounded to 8 bits; weights with one scale per row, inputs with one per token when served.
 */
export function smoothQuant({ migrationStrength, scaleType }: SmoothQuantSettings): Technique {
  const grid: IntegerGrid = { bits: 8, groupSize: undefined, symmetric: true, scaleType };
  return {
    name: 'smoothquant',
    sequential: false,
    aimsAtOriginal: false,
    evenTokens: false,
    magnitudes: true,
    async scale(family) {
      checkFamily(family);
      if (family.preceding === undefined) return undefined;
      const wanted = migrationScales(family, migrationStrength);
      return { ...foldScales(family.preceding, wanted, family.name), notes: [] };
    },
    encode: (family, context) => roundFamily(family, grid, false, context),
  };
}

/** `max|x|^α / max|w|^(1 − α)` of each channel; what its column is to be multiplied by. */
function migrationScales({ inputs, weights }: Family, strength: number): Float32Array {
  const { columns, largestMagnitude } = inputs;
  const largestWeight = new Float32Array(columns).fill(LEAST_MAGNITUDE);
  for (const { values } of weights) {
    for (let start = 0; start < values.length; start += columns) {
      for (let c = 0; c < columns; c++) {
        const magnitude = Math.abs(values[start + c] ?? 0);
        if (magnitude > (largestWeight[c] ?? 0)) largestWeight[c] = magnitude;
      }
    }
  }
  return largestMagnitude.map((magnitude, c) => {
    if (magnitude === 0) return 1;
    const input = Math.max(magnitude, LEAST_MAGNITUDE);
    return Math.max(input ** strength / (largestWeight[c] ?? 1) ** (1 - strength), LEAST_MAGNITUDE);
  });
}
