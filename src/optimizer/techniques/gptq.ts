import type { Matrix } from '../linear-algebra/linear-algebra.js';
import { aimAtOriginal } from './aim-at-original.js';
import { chooseScales, type RangeChoice } from './choose-scales.js';
import { descending, permuteColumns, permuteSymmetric } from './column-order.js';
import { encodedIntegers } from './encode-integers.js';
import type { EncodedIntegers } from './encoded-weight.js';
import { checkFamily } from './family-checks.js';
import { finishLayer } from './finish-layer.js';
import { diagonalOf, type InputStatistics } from './input-statistics.js';
import { type FittedGrid, fitGrid, type IntegerGrid } from './integer-grid.js';
import { gramNotes, weightNotes } from './notes.js';
import { dampedMatrix, type FactoredGram, factorGram } from './prepare-gram.js';
import { type RefineSettings, refine } from './refine.js';
import { roundCompensating } from './round-compensating.js';
import type {
  EncodedFamily,
  EncodedLayer,
  Family,
  Technique,
  TechniqueContext,
} from './technique.js';

export interface GptqSettings {
  readonly grid: IntegerGrid;
  /**
   * The order in which columns are rounded.
   *
   * - `natural`: from the first to the last.
   * - `activity`: those with the largest inputs first, groups as they lie; readers see no difference.
   * - `activity-groups`: the same, and a group is made of columns that follow each other in that order;
   *   readers need to be told the group of each column (`g_idx`).
   */
  readonly order: 'natural' | 'activity' | 'activity-groups';
  /** Added to the Gram matrix's diagonal, relative to its mean; raised where it is singular. */
  readonly damping: number;
  readonly range: RangeChoice;
  /** Coordinate descent after rounding; none if undefined. */
  readonly refine?: RefineSettings;
}

/** GPTQ (Frantar et al., 2022): rounding column by column, each making up for the errors before it. */
export function gptq(settings: GptqSettings): Technique {
  return {
    name: 'gptq',
    sequential: true,
    aimsAtOriginal: false,
    evenTokens: true,
    magnitudes: false,
    encode: (family, context) => encodeCompensating(family, settings, context),
  };
}

/** Encodes every layer of a family, with one factorization for all. */
export async function encodeCompensating(
  family: Family,
  settings: GptqSettings,
  context: TechniqueContext,
): Promise<EncodedFamily> {
  checkFamily(family);
  const arrangement =
    settings.order === 'activity-groups' ? activityOrder(family.inputs) : undefined;
  const arranged = arrangement === undefined ? family : arrange(family, arrangement);
  const { inputs, weights, name } = arranged;
  const grid = fitGrid(settings.grid, inputs.columns, name);
  const order = settings.order === 'activity' ? activityOrder(inputs) : undefined;
  const factored = await factorGram(inputs, settings.damping, order, name, context);
  const targets = await aimAtOriginal(arranged, factored, context);

  const layers: EncodedLayer[] = [];
  const encoded = await encodeTargets(grid, targets, factored, settings, context);
  for (const [index, weight] of family.weights.entries()) {
    const own = encoded[index];
    if (own === undefined) throw new Error(`${weight.name} was not encoded`);
    layers.push(await finishLayer(weight, rearrange(own, arrangement), family.inputs, context));
  }
  const notes = [...gramNotes(family, factored, settings.damping), ...weightNotes(weights, grid)];
  return { layers, notes };
}

function activityOrder(inputs: InputStatistics): Uint32Array {
  return descending(diagonalOf(inputs));
}

/** Encodes matrices of the family's columns as closely as its inputs can tell. */
async function encodeTargets(
  grid: FittedGrid,
  weights: readonly Matrix[],
  { gram, factor, order }: FactoredGram,
  { range, refine: refining }: GptqSettings,
  { algebra, signal }: TechniqueContext,
): Promise<readonly EncodedIntegers[]> {
  const targets = weights.map((weight) => ({
    weight,
    scales: chooseScales(grid, weight, range, gram.diagonal),
  }));
  const rounded = await roundCompensating(algebra, grid, targets, factor, order, signal);
  if (refining !== undefined) {
    const matrix = dampedMatrix(gram);
    for (const each of rounded) await refine(each, matrix, refining, { algebra, signal });
  }
  return rounded.map(({ weight: { rows, columns }, codes, scales }) =>
    encodedIntegers(grid, rows, columns, codes, scales),
  );
}

/** The family with its input channels in another order. */
function arrange(family: Family, order: Uint32Array): Family {
  const { inputs, weights } = family;
  const { columns } = inputs;
  const reorder = (values: Float32Array): Float32Array =>
    values.length === 0 ? values : permuteColumns({ rows: 1, columns, values }, order).values;
  const reorderSquare = (values: Float32Array): Float32Array =>
    permuteSymmetric({ rows: columns, columns, values }, order).values;
  return {
    ...family,
    weights: weights.map((weight) => ({ ...weight, ...permuteColumns(weight, order) })),
    inputs: {
      columns,
      tokens: inputs.tokens,
      gram: reorderSquare(inputs.gram),
      ...(inputs.original !== undefined && { original: reorderSquare(inputs.original) }),
      meanMagnitude: reorder(inputs.meanMagnitude),
      largestMagnitude: reorder(inputs.largestMagnitude),
    },
  };
}

/** Puts the columns back where they belong, and says which group each is in. */
function rearrange(weight: EncodedIntegers, order: Uint32Array | undefined): EncodedIntegers {
  if (order === undefined) return weight;
  const { rows, columns, groupSize } = weight;
  const codes = new Uint8Array(weight.codes.length);
  const groupOf = new Uint32Array(columns);
  for (let k = 0; k < columns; k++) {
    const column = order[k] ?? k;
    groupOf[column] = Math.floor(k / groupSize);
    for (let row = 0; row < rows; row++) {
      codes[row * columns + column] = weight.codes[row * columns + k] ?? 0;
    }
  }
  return { ...weight, codes, groupOf };
}
