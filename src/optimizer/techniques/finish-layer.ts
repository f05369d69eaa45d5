import { decodeWeight } from './decode-weight.js';
import type { EncodedWeight } from './encoded-weight.js';
import type { InputStatistics } from './input-statistics.js';
import { layerError } from './output-error.js';
import type { EncodedLayer, LinearWeight, TechniqueContext } from './technique.js';

/** An encoded layer with its error, measured on what the codes decode to. */
export async function finishLayer(
  original: LinearWeight,
  weight: EncodedWeight,
  { columns, gram }: InputStatistics,
  { algebra, signal }: TechniqueContext,
): Promise<EncodedLayer> {
  const inputs = { rows: columns, columns, values: gram };
  const decoded = decodeWeight(weight);
  const error = await layerError(algebra, original, decoded, inputs, signal);
  return { name: original.name, weight, decoded, error };
}
