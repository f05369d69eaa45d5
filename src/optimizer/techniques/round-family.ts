import { chooseScales, type RangeChoice } from './choose-scales.js';
import { encodedIntegers, roundToNearest } from './encode-integers.js';
import { checkFamily } from './family-checks.js';
import { finishLayer } from './finish-layer.js';
import { diagonalOf } from './input-statistics.js';
import { fitGrid, type IntegerGrid } from './integer-grid.js';
import { weightNotes } from './notes.js';
import type { EncodedFamily, EncodedLayer, Family, TechniqueContext } from './technique.js';

/** Encodes every layer of a family by rounding its weights to nearest. */
export async function roundFamily(
  family: Family,
  grid: IntegerGrid,
  range: RangeChoice,
  context: TechniqueContext,
): Promise<EncodedFamily> {
  checkFamily(family);
  const { inputs, weights, name } = family;
  const fitted = fitGrid(grid, inputs.columns, name);
  const layers: EncodedLayer[] = [];
  for (const weight of weights) {
    context.signal.throwIfAborted();
    const scales = chooseScales(fitted, weight, range, diagonalOf(inputs));
    const codes = roundToNearest(fitted, weight, scales);
    const encoded = encodedIntegers(fitted, weight.rows, weight.columns, codes, scales);
    layers.push(await finishLayer(weight, encoded, inputs, context));
  }
  return { layers, notes: weightNotes(weights, fitted) };
}
