import { TechniqueError } from './errors.js';
import { roundTo } from './float-rounding.js';
import type { Fold } from './fold.js';
import type { Family, Preceding } from './technique.js';

/** Factors that a family's columns can really be multiplied by, and what makes up for them. */
export interface FoldedScales {
  readonly factors: Float32Array;
  readonly folds: readonly Fold[];
}

/**
 * Moves scales of a family's input channels into the module before it.
 *
 * The factors come as near to the wanted ones as the preceding module allows: channels that come from
 * one row get their geometric mean, and a norm's weight is rounded as it will be stored, the factor
 * then being the exact quotient of old and new, so that folding adds no error of its own.
 *
 * @throws TechniqueError if the preceding module does not fit the family.
 */
export function foldScales(
  preceding: Preceding,
  wanted: Float32Array,
  subject: string,
): FoldedScales {
  return preceding.kind === 'norm'
    ? foldIntoNorm(preceding, wanted, subject)
    : foldIntoRows(preceding, wanted, subject);
}

function foldIntoNorm(
  norm: Preceding & { readonly kind: 'norm' },
  wanted: Float32Array,
  subject: string,
): FoldedScales {
  const { name, weight, bias, storedAs } = norm;
  if (weight.length !== wanted.length) {
    throw new TechniqueError(
      subject,
      `${name} has ${weight.length} elements, but its output feeds ${wanted.length} channels.`,
    );
  }
  const offset = norm.addsOne ? 1 : 0;
  const factors = new Float32Array(wanted.length);
  const scaled = weight.map((stored, channel) => {
    const before = offset + stored;
    const scaledWeight = roundTo(storedAs, before / (wanted[channel] ?? 1) - offset);
    const factor = before / (offset + scaledWeight);
    // A channel that the norm switches off has nothing to scale.
    const possible = Number.isFinite(factor) && factor > 0;
    factors[channel] = possible ? factor : 1;
    return possible ? scaledWeight : stored;
  });
  const scaledBias = bias?.map((value, channel) => value / (factors[channel] ?? 1));
  return {
    factors,
    folds: [
      {
        kind: 'norm',
        module: name,
        weight: scaled,
        ...(scaledBias !== undefined && { bias: scaledBias }),
      },
      ...norm.alsoFeeds.map((module): Fold => ({ kind: 'columns', module, factors })),
    ],
  };
}

function foldIntoRows(
  { name, rows, rowOf }: Preceding & { readonly kind: 'linear' },
  wanted: Float32Array,
  subject: string,
): FoldedScales {
  const logarithms = new Float64Array(rows);
  const channels = new Uint32Array(rows);
  const rowOfChannel = (channel: number): number => rowOf?.[channel] ?? channel;
  for (const [channel, factor] of wanted.entries()) {
    const row = rowOfChannel(channel);
    if (row >= rows) {
      throw new TechniqueError(
        subject,
        `channel ${channel} comes from row ${row} of ${name}, which has ${rows}.`,
      );
    }
    logarithms[row] = (logarithms[row] ?? 0) + Math.log(factor);
    channels[row] = (channels[row] ?? 0) + 1;
  }
  const means = Float32Array.from(logarithms, (sum, row) =>
    Math.exp(sum / Math.max(1, channels[row] ?? 0)),
  );
  return {
    factors: wanted.map((_, channel) => means[rowOfChannel(channel)] ?? 1),
    folds: [{ kind: 'rows', module: name, factors: means.map((mean) => 1 / mean) }],
  };
}

/** The family as it is once its columns are multiplied by `factors` and the module before it makes up
 * for that. */
export function scaleFamily(family: Family, factors: Float32Array): Family {
  const { weights, inputs } = family;
  const { columns, tokens } = inputs;
  const shrunk = (magnitudes: Float32Array): Float32Array =>
    magnitudes.map((magnitude, channel) => magnitude / (factors[channel] ?? 1));
  return {
    name: family.name,
    weights: weights.map((weight) => ({
      ...weight,
      values: grownRows(weight.values, factors),
    })),
    inputs: {
      columns,
      tokens,
      gram: shrunkSquare(inputs.gram, factors),
      ...(inputs.original !== undefined && { original: shrunkSquare(inputs.original, factors) }),
      meanMagnitude: shrunk(inputs.meanMagnitude),
      largestMagnitude: shrunk(inputs.largestMagnitude),
    },
  };
}

/** Rows whose columns are multiplied by the factors. */
function grownRows(values: Float32Array, factors: Float32Array): Float32Array {
  const grown = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += factors.length) {
    for (let c = 0; c < factors.length; c++) {
      grown[start + c] = (values[start + c] ?? 0) * (factors[c] ?? 1);
    }
  }
  return grown;
}

/** A matrix of products of channels, each of which shrinks by its factor. */
function shrunkSquare(products: Float32Array, factors: Float32Array): Float32Array {
  const shrunk = new Float32Array(products.length);
  for (const [row, factor] of factors.entries()) {
    const start = row * factors.length;
    for (let c = 0; c < factors.length; c++) {
      shrunk[start + c] = (products[start + c] ?? 0) / factor / (factors[c] ?? 1);
    }
  }
  return shrunk;
}
