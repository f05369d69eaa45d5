import { chooseScales } from './choose-scales.js';
import { encodedIntegers, roundToNearest } from './encode-integers.js';
import { checkFamily } from './family-checks.js';
import { finishLayer } from './finish-layer.js';
import { diagonalOf } from './input-statistics.js';
import { fitGrid, type IntegerGrid } from './integer-grid.js';
import { weightNotes } from './notes.js';
import { searchRanges } from './search-ranges.js';
import type { EncodedFamily, EncodedLayer, Family, TechniqueContext } from './technique.js';

/** Encodes every layer of a family by rounding its weights to nearest, in ranges that cover groups
 * whole, or with `clip` in those with which the layers' outputs err least. */
export async function roundFamily(
  family: Family,
  grid: IntegerGrid,
  clip: boolean,
  context: TechniqueContext,
): Promise<EncodedFamily> {
  checkFamily(family);
  const { inputs, weights, name } = family;
  const fitted = fitGrid(grid, inputs.columns, name);
  const gram = { rows: inputs.columns, columns: inputs.columns, values: inputs.gram };
  const layers: EncodedLayer[] = [];
  for (const weight of weights) {
    context.signal.throwIfAborted();
    const scales = chooseScales(fitted, weight, clip ? 'search' : 'cover', diagonalOf(inputs));
    if (clip) await searchRanges(fitted, weight, gram, scales, context);
    const codes = roundToNearest(fitted, weight, scales);
    const encoded = encodedIntegers(fitted, weight.rows, weight.columns, codes, scales);
    layers.push(await finishLayer(weight, encoded, inputs, context));
  }
  return { layers, notes: weightNotes(weights, fitted) };
}
