import { checkFamily } from './family-checks.js';
import { encodeCompensating, type GptqSettings } from './gptq.js';
import { searchScales } from './scale-search.js';
import type { Technique } from './technique.js';

export interface GptaqSettings extends Pick<GptqSettings, 'grid' | 'order'> {
  /** As in GPTQ. More than is usual there pays, since what is aimed at fits the calibration text more
   * closely. */
  readonly damping: number;
  /** Whether input channels are scaled by their activity first, as AWQ does. */
  readonly scaling: boolean;
  /** Passes of coordinate descent over codes and scales after rounding; none with 0. */
  readonly sweeps: number;
}

/**
 * GPTQ that aims at the original model's output, so that each layer makes up for what quantizing the
 * layers before it did to its inputs (the asymmetric calibration of Li et al., "GPTAQ", 2025, solved for
 * the weights), and whose ranges are searched with the inputs' energy as weight.
 *
 * Ranges that are searched lower every layer's error but shrink its output a little; without the aim,
 * which takes that back in the next layer, the whole model comes out worse with them.
 */
export function gptaq({ scaling, sweeps, ...settings }: GptaqSettings): Technique {
  const compensation: GptqSettings = {
    ...settings,
    range: 'search',
    ...(sweeps > 0 && { refine: { sweeps, scales: true } }),
  };
  return {
    name: 'gptaq',
    sequential: true,
    aimsAtOriginal: true,
    evenTokens: false,
    magnitudes: scaling,
    ...(scaling && {
      async scale(family, context) {
        checkFamily(family);
        return searchScales(family, settings.grid, context);
      },
    }),
    encode: (family, context) => encodeCompensating(family, compensation, context),
  };
}
