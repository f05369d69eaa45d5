import type { CalibratedFormat } from '../formats/calibrated-format.js';
import type { PlannedLayer } from '../quantization/plan.js';
import type { RequestedScheme } from '../settings/requested-scheme.js';
import { awq } from '../techniques/awq.js';
import { fp8Static } from '../techniques/fp8-static.js';
import { gptaq } from '../techniques/gptaq.js';
import { gptq } from '../techniques/gptq.js';
import type { IntegerGrid } from '../techniques/integer-grid.js';
import { smoothQuant } from '../techniques/smoothquant.js';
import type { Technique } from '../techniques/technique.js';

/** The technique for a family, whose layers have one scheme. */
export function buildTechnique(
  requested: RequestedScheme,
  format: CalibratedFormat,
  layer: PlannedLayer,
): Technique {
  const scaleType = format.scaleType(layer);
  const grid = (): IntegerGrid => {
    const { scheme } = layer;
    if (scheme.type !== 'int') throw new Error(`${layer.module} has no integer scheme`);
    const { bits, groupSize, symmetric } = scheme;
    return { bits, groupSize, symmetric, scaleType, lowestZeroPoint: format.lowestZeroPoint };
  };
  switch (requested.technique) {
    case 'awq':
      return awq({ grid: grid(), clip: true });
    case 'gptq':
      return gptq({
        grid: grid(),
        order: requested.order,
        damping: requested.damping,
        // Narrower ranges and fitted scales lower the error of each layer's output, but shrink it a
        // little every time: on held-out text the whole model comes out worse than with whole ranges.
        range: 'cover',
      });
    case 'gptaq': {
      const { order, damping, scaling, sweeps } = requested;
      return gptaq({ grid: grid(), order, damping, scaling, sweeps });
    }
    case 'smoothquant':
      return smoothQuant({ migrationStrength: requested.migrationStrength, scaleType });
    case 'fp8':
      return fp8Static({ weightScales: 'row', scaleType });
    case 'rtn':
    case 'int8':
      throw new Error(`${requested.technique} is not calibrated`);
  }
}
