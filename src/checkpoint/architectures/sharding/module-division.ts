/** Outputs or inputs of a module that are divided among tensor ranks as wholes: heads, or single
 * channels. */
export interface Segment {
  /** What the units are, for messages: `attention heads`. */
  readonly what: string;
  readonly units: number;
  /** Channels of one unit. */
  readonly unitSize: number;
  /** Whether several ranks may share one unit where there are more ranks than units. */
  readonly shared: boolean;
}

/** What becomes of a module under tensor parallelism. A linear module's weight has an output for each row
 * and an input for each column, however it is stored.
 *
 * - `whole`: every rank has all of it.
 * - `outputs`: each rank has some outputs of every segment; the segments make up the outputs in order.
 * - `inputs`: each rank has some inputs, and all outputs.
 * - `vocabulary`: outputs are tokens; their number is padded so that ranks get equally many. */
export type ModuleDivision =
  | { readonly kind: 'whole' }
  | { readonly kind: 'outputs'; readonly segments: readonly Segment[]; readonly inputs: number }
  | { readonly kind: 'inputs'; readonly segment: Segment; readonly outputs: number }
  | { readonly kind: 'vocabulary'; readonly tokens: number; readonly inputs: number };

/** Channels that a rank has: a run of a module's outputs or inputs. */
export interface ChannelRange {
  readonly first: number;
  readonly count: number;
}

/** Vocabularies are padded to multiples of this, as vLLM does. */
const VOCABULARY_UNIT = 64;

/** Channels of a segment. */
export function segmentSize({ units, unitSize }: Segment): number {
  return units * unitSize;
}

/** The tokens of a vocabulary with its padding. */
export function paddedVocabulary(tokens: number): number {
  return Math.ceil(tokens / VOCABULARY_UNIT) * VOCABULARY_UNIT;
}

/** Whether `degree` ranks can divide a segment evenly. */
export function divides(degree: number, { units, shared }: Segment): boolean {
  return units % degree === 0 || (shared && degree % units === 0);
}

/** The channels of one rank, counted from the segment's first. The degree must divide the segment. */
export function segmentRange(segment: Segment, degree: number, rank: number): ChannelRange {
  const { units, unitSize } = segment;
  const count = Math.max(1, units / degree);
  const first = units >= degree ? rank * count : Math.floor(rank / (degree / units));
  return { first: first * unitSize, count: count * unitSize };
}

/** The tokens of one rank, and how many it has with padding. */
export function vocabularyRange(
  tokens: number,
  degree: number,
  rank: number,
): ChannelRange & { readonly padded: number } {
  const padded = paddedVocabulary(tokens) / degree;
  const first = Math.min(rank * padded, tokens);
  return { first, count: Math.min((rank + 1) * padded, tokens) - first, padded };
}
