import { roundScaled, SCALED_ROW_UNIT } from '../../kernels/index.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import { halfPanels, quadraticForms } from '../linear-algebra/quadratic-form.js';
import { foldScales } from './fold-scales.js';
import { type FittedGrid, fitGrid, type IntegerGrid } from './integer-grid.js';
import type { Family, LinearWeight, Scaling, TechniqueContext } from './technique.js';

/** Exponents are multiples of `1/20` below one. Every other is tried, and then those beside the best,
 * since the error is smooth in the exponent. */
const EXPONENTS = 20;
const COARSE_STEP = 2;
/** Below this a channel is as good as silent, and its scale would be all noise. */
const LEAST_MAGNITUDE = 1e-5;
/** Most candidates: both kinds for each coarse exponent, and two beside the best. */
const CANDIDATES = 2 * (EXPONENTS / COARSE_STEP) + 2;
/** Weights rounded while candidates are compared: the rows of large families are sampled, since the
 * error is a sum over rows, and rows that are the same for all candidates tell them apart well. */
const SEARCH_WEIGHTS = 5e6;
/** Fewest rows of a weight in the sample; fewer would say too little about the rest. */
export const LEAST_ROWS = 64;
/** Weights whose errors are held at a time. */
export const SAMPLE_WEIGHTS = 2 ** 20;

/**
 * Activation-aware scales (AWQ, Lin et al., 2023): of the candidates `x^a` and `x^a / w^(1 − a)`, with
 * x the mean magnitude of each input channel and w that of its weights relative to their group, the
 * one with which the family's output errs least when its weights are rounded to nearest.
 *
 * The error comes from the Gram matrix, `tr(E·G·Eᵀ)`; no inputs are needed. No scaling at all is a
 * candidate too.
 *
 * @returns undefined where nothing before the family can take scales.
 */
export async function searchScales(
  family: Family,
  integers: IntegerGrid,
  { algebra, signal }: TechniqueContext,
): Promise<Scaling | undefined> {
  const { inputs, preceding, name } = family;
  if (preceding === undefined) return undefined;
  const grid = fitGrid(integers, inputs.columns, name);
  const samples = sampleRows(family);
  const gram = { rows: inputs.columns, columns: inputs.columns, values: inputs.gram };
  const panels = [...halfPanels(gram)];
  const room = new Float32Array(Math.max(...samples.map(({ values }) => values.length)));
  const activity = inputs.meanMagnitude.map((magnitude) => Math.max(magnitude, LEAST_MAGNITUDE));
  const weightShare = relativeMagnitudes(family.weights, grid);

  let best = foldScales(preceding, new Float32Array(inputs.columns).fill(1), name);
  const error = (factors: Float32Array): Promise<number> =>
    scaledError(algebra, samples, factors, panels, grid, room, signal);
  const unscaled = await error(best.factors);
  let least = unscaled;
  let bestStep: number | undefined;
  let bestKind: Kind = 'activity';
  const consider = async (step: number, kind: Kind): Promise<void> => {
    signal.throwIfAborted();
    const exponent = step / EXPONENTS;
    const byActivity = activity.map((magnitude) => magnitude ** exponent);
    const candidate =
      kind === 'activity'
        ? byActivity
        : byActivity.map((scale, c) => scale / (weightShare[c] ?? 1) ** (1 - exponent));
    const folded = foldScales(preceding, centred(candidate), name);
    const found = await error(folded.factors);
    if (found >= least) return;
    least = found;
    best = folded;
    bestStep = step;
    bestKind = kind;
  };
  for (let step = 0; step < EXPONENTS; step += COARSE_STEP) {
    // With the exponent 0 the inputs' activity alone scales nothing.
    if (step > 0) await consider(step, 'activity');
    await consider(step, 'both');
  }
  if (bestStep === undefined) {
    return { ...best, notes: [`${name}: no scaling of its inputs lowers the error.`] };
  }
  const [middle, kind] = [bestStep, bestKind];
  for (const step of [middle - 1, middle + 1]) {
    if (step > 0 && step < EXPONENTS) await consider(step, kind);
  }
  return { ...best, notes: [] };
}

/** What a candidate's scales come from: the inputs' activity alone, or the weights' size as well. */
type Kind = 'activity' | 'both';

/** So that the largest and the smallest are equally far from one. */
function centred(scales: Float32Array): Float32Array {
  let least = Number.POSITIVE_INFINITY;
  let greatest = 0;
  for (const scale of scales) {
    least = Math.min(least, scale);
    greatest = Math.max(greatest, scale);
  }
  const middle = Math.sqrt(least) * Math.sqrt(greatest);
  return scales.map((scale) => scale / middle);
}

/** Evenly spread rows of every weight, as many as the work allows; transposed, `[columns, rows]`, and
 * filled up with rows of zeros. */
function sampleRows({ weights, inputs }: Family): readonly Matrix[] {
  const { columns } = inputs;
  const affordable = SEARCH_WEIGHTS / (CANDIDATES * columns);
  const all = weights.reduce((rows, weight) => rows + weight.rows, 0);
  const rows = weights.flatMap(({ rows: own, values }) => {
    const share = Math.max(LEAST_ROWS, Math.ceil((affordable * own) / all));
    const taken = Math.min(share, own);
    return Array.from({ length: taken }, (_, i) => {
      const row = Math.floor((i * own) / taken);
      return values.subarray(row * columns, (row + 1) * columns);
    });
  });
  const most = toUnit(Math.min(rows.length, SAMPLE_WEIGHTS / columns));
  return Array.from({ length: Math.ceil(rows.length / most) }, (_, index) =>
    turned(rows.slice(index * most, (index + 1) * most), columns),
  );
}

function toUnit(rows: number): number {
  return Math.ceil(rows / SCALED_ROW_UNIT) * SCALED_ROW_UNIT;
}

function turned(rows: readonly Float32Array[], columns: number): Matrix {
  const width = toUnit(rows.length);
  const values = new Float32Array(columns * width);
  for (const [r, row] of rows.entries()) {
    for (let c = 0; c < columns; c++) values[c * width + r] = row[c] ?? 0;
  }
  return { rows: columns, columns: width, values };
}

/** Mean over all rows of each weight's magnitude relative to the largest in its group. */
function relativeMagnitudes(weights: readonly LinearWeight[], grid: FittedGrid): Float32Array {
  const [{ columns = 0 } = {}] = weights;
  const sums = new Float64Array(columns);
  let rows = 0;
  for (const { rows: own, values } of weights) {
    rows += own;
    for (let start = 0; start < values.length; start += columns) {
      for (let first = 0; first < columns; first += grid.groupSize) {
        const end = Math.min(columns, first + grid.groupSize);
        let largest = 0;
        for (let c = first; c < end; c++) {
          const magnitude = Math.abs(values[start + c] ?? 0);
          if (magnitude > largest) largest = magnitude;
        }
        if (largest === 0) continue;
        for (let c = first; c < end; c++) {
          sums[c] = (sums[c] ?? 0) + Math.abs(values[start + c] ?? 0) / largest;
        }
      }
    }
  }
  return Float32Array.from(sums, (sum) => Math.max(sum / rows, LEAST_SHARE));
}

/** A column of zeros needs no scale; this keeps its scale within reason. */
const LEAST_SHARE = 1e-4;

/** What rounding the scaled weights to nearest does to the output, ranges taken whole: clipping them
 * costs many times more and hardly changes which scales are best. Errors are held in `room`. */
async function scaledError(
  algebra: LinearAlgebra,
  samples: readonly Matrix[],
  factors: Float32Array,
  panels: readonly Matrix[],
  grid: FittedGrid,
  room: Float32Array,
  signal: AbortSignal,
): Promise<number> {
  let sum = 0;
  for (const { rows, columns, values } of samples) {
    const errors = room.subarray(0, values.length);
    roundScaled(grid, { rows: columns, columns: rows, values }, factors, errors);
    const [energy = 0] = await quadraticForms(
      algebra,
      panels,
      [{ rows, columns, values: errors }],
      signal,
    );
    sum += Math.max(0, energy);
  }
  return sum;
}
