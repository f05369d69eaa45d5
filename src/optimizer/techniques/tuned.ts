import { checkFamily } from './family-checks.js';
import { encodeCompensating, type GptqSettings } from './gptq.js';
import type { IntegerGrid } from './integer-grid.js';
import { searchScales } from './scale-search.js';
import type { Technique } from './technique.js';

export interface TunedSettings {
  readonly grid: IntegerGrid;
  /** Whether input channels are scaled by their activity first, as AWQ does. */
  readonly scaling: boolean;
  /** As in GPTQ. More than is usual there pays, since the descent goes further than GPTQ alone and so
   * fits the calibration text more closely. */
  readonly damping: number;
  /** Passes of coordinate descent over codes and scales. */
  readonly sweeps: number;
}

/**
 * Everything that lowers the output's error at the same size: ranges searched with the inputs' energy as
 * weight, errors compensated in the order of activity, then coordinate descent on scales and codes
 * together; aiming at the original model's output where the statistics have its inputs.
 */
export function tuned({ grid, scaling, damping, sweeps }: TunedSettings): Technique {
  const settings: GptqSettings = {
    grid,
    order: 'activity',
    damping,
    range: 'search',
    refine: { sweeps, scales: true },
  };
  return {
    name: 'tuned',
    ...(scaling && {
      async scale(family, context) {
        checkFamily(family);
        return searchScales(family, grid, context);
      },
    }),
    encode: (family, context) => encodeCompensating(family, settings, context),
  };
}
