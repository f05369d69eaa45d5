import { checkFamily } from './family-checks.js';
import type { IntegerGrid } from './integer-grid.js';
import { roundFamily } from './round-family.js';
import { searchScales } from './scale-search.js';
import type { Technique } from './technique.js';

export interface AwqSettings {
  readonly grid: IntegerGrid;
  /** Whether the ranges of groups are searched (weight clipping), or taken whole. */
  readonly clip: boolean;
}

/** AWQ (Lin et al., 2023): input channels scaled by their activity, then weights clipped and rounded to
 * nearest. */
export function awq({ grid, clip }: AwqSettings): Technique {
  return {
    name: 'awq',
    sequential: false,
    aimsAtOriginal: false,
    evenTokens: false,
    magnitudes: true,
    async scale(family, context) {
      checkFamily(family);
      return searchScales(family, grid, context);
    },
    encode: (family, context) => roundFamily(family, grid, clip, context),
  };
}
