import {
  type ModuleDivision,
  paddedVocabulary,
  type Segment,
  segmentRange,
  segmentSize,
  vocabularyRange,
} from '../../checkpoint/architectures/sharding/module-division.js';
import type {
  ModuleTensor,
  ShardingModel,
} from '../../checkpoint/architectures/sharding/sharding-model.js';
import {
  type StoredAxis,
  storedAxes,
} from '../../checkpoint/architectures/sharding/stored-axes.js';
import { CheckpointError } from '../../checkpoint/errors.js';

/** Elements of one dimension, from `first` on. */
export interface ElementRange {
  readonly first: number;
  readonly count: number;
}

/** The part of a tensor that one rank has. */
export interface Slice {
  /** The rank's shape. Along the axis it may be longer than the ranges: then zeros follow. */
  readonly shape: readonly number[];
  /** The dimension that is divided; undefined where the rank has the whole tensor. */
  readonly axis: number | undefined;
  /** Along the axis, in the order in which the rank has them; empty for a rank of padding alone. */
  readonly ranges: readonly ElementRange[];
}

/** The dimension along which a tensor is divided, and how. */
export interface DividedAxis {
  readonly axis: number;
  /** The segments whose channels lie along it, or the tokens of a vocabulary. */
  readonly channels: { readonly segments: readonly Segment[] } | { readonly tokens: number };
  /** Channels that one stored element stands for: those of a packed word or of a group. */
  readonly perElement: number;
}

/** The dimension along which a tensor is divided; undefined where every rank has all of it.
 * @throws CheckpointError if its shape is not what the configuration makes it. */
export function dividedAxis(model: ShardingModel, module: ModuleTensor): DividedAxis | undefined {
  const { tensor, division, suffix } = module;
  const { shape, file, name } = tensor;
  const axes = storedAxes(model.method, suffix) ?? [];
  const elements = shape.reduce((product, size) => product * size, 1);
  if (division.kind === 'whole' || elements === 1) return undefined;
  if (axes.length < shape.length && axes.length > 0) {
    throw new CheckpointError(`has ${shape.length} dimensions, not ${axes.length}`, {
      file,
      tensor: name,
    });
  }
  checkUndivided(module, axes);
  const axis = axes.findIndex(
    (along, index) => index < shape.length && isDivided(along, division, model.scatteredGroups),
  );
  if (axis === -1) return undefined;
  const channels = channelsOf(division);
  const total = 'tokens' in channels ? channels.tokens : sizeOf(channels.segments);
  const stored = shape[axis] ?? 0;
  // One scale for all inputs goes to every rank.
  if (stored === 1 && axes[axis] === 'groups') return undefined;
  const perElement = total / stored;
  if (!Number.isInteger(perElement) || (isPlain(suffix) && perElement !== 1)) {
    throw new CheckpointError(
      `has the shape [${shape.join(', ')}], but config.json makes its layer’s ${axes[axis]} ${total}`,
      { file, tensor: name },
    );
  }
  return { axis, channels, perElement };
}

/** Weights and biases that are stored element by element. */
function isPlain(suffix: string): boolean {
  return suffix === 'weight' || suffix === 'bias';
}

function isDivided(along: StoredAxis, division: ModuleDivision, scattered: boolean): boolean {
  if (division.kind === 'inputs') {
    return along === 'inputs' || (along === 'groups' && !scattered);
  }
  return division.kind !== 'whole' && along === 'outputs';
}

/** The other dimension of a plain weight must be what the configuration says too. */
function checkUndivided(
  { tensor, division, suffix }: ModuleTensor,
  axes: readonly StoredAxis[],
): void {
  if (!isPlain(suffix) || division.kind === 'whole') return;
  const [along, size] =
    division.kind === 'inputs'
      ? (['outputs', division.outputs] as const)
      : (['inputs', division.inputs] as const);
  const found = tensor.shape[axes.indexOf(along)];
  if (found !== undefined && found !== size) {
    throw new CheckpointError(
      `has the shape [${tensor.shape.join(', ')}], but config.json makes its layer’s ${along} ${size}`,
      { file: tensor.file, tensor: tensor.name },
    );
  }
}

function channelsOf(
  division: Exclude<ModuleDivision, { readonly kind: 'whole' }>,
): DividedAxis['channels'] {
  switch (division.kind) {
    case 'outputs':
      return { segments: division.segments };
    case 'inputs':
      return { segments: [division.segment] };
    case 'vocabulary':
      return { tokens: division.tokens };
  }
}

function sizeOf(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segmentSize(segment), 0);
}

/** The part of a tensor that a rank has. The degree must be one that divides it (see `demandsOf`). */
export function sliceOf(
  shape: readonly number[],
  divided: DividedAxis | undefined,
  degree: number,
  rank: number,
): Slice {
  if (divided === undefined) return { shape, axis: undefined, ranges: [] };
  const { axis, channels, perElement } = divided;
  const ranges: ElementRange[] = [];
  let length = 0;
  if ('tokens' in channels) {
    const { first, count, padded } = vocabularyRange(channels.tokens, degree, rank);
    if (count > 0) ranges.push({ first: first / perElement, count: count / perElement });
    length = padded / perElement;
  } else {
    let start = 0;
    for (const segment of channels.segments) {
      const { first, count } = segmentRange(segment, degree, rank);
      ranges.push({ first: (start + first) / perElement, count: count / perElement });
      start += segmentSize(segment);
      length += count / perElement;
    }
  }
  const sliced = shape.map((size, index) => (index === axis ? length : size));
  return { shape: sliced, axis, ranges };
}

/** Something that a degree must divide. */
export interface Demand {
  readonly segment: Segment;
  /** A rank's channels must be a multiple of this: those of a packed word, or of a group. */
  readonly multiple: number;
  /** A tensor that demands it, for messages. */
  readonly tensor: string;
}

/** What a divided tensor demands of the degree. */
export function demandsOf(divided: DividedAxis, tensor: string): readonly Demand[] {
  const { channels, perElement } = divided;
  if ('segments' in channels) {
    return channels.segments.map((segment) => ({ segment, multiple: perElement, tensor }));
  }
  const units = paddedVocabulary(channels.tokens);
  const segment = { what: 'tokens of the padded vocabulary', units, unitSize: 1, shared: false };
  return [{ segment, multiple: perElement, tensor }];
}
