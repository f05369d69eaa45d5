/** Consecutive tokens of the activations that go through a graph in one run: so many sequences of so
 * many positions each. */
export interface SequenceBatch {
  readonly first: number;
  readonly sequences: number;
  readonly positions: number;
}

/** Tokens in one run of a graph: enough to keep the processors busy, few enough that what lies between
 * two layers stays in their caches. At four times as many, elementwise operators take up to ten times as
 * long, since each of their results is memory that the system has to hand out first. */
export const RUN_TOKENS = 512;

/** Splits tokens that have nothing to do with each other into runs of `most` at a time. */
export function cutTokens(tokens: number, most: number): readonly SequenceBatch[] {
  return Array.from({ length: Math.ceil(tokens / most) }, (_, index) => ({
    first: index * most,
    sequences: 1,
    positions: Math.min(most, tokens - index * most),
  }));
}

/** Splits sequences that lie one after the other into batches of equal length.
 * @param lengths positions of each sequence. */
export function batchSequences(lengths: readonly number[]): readonly SequenceBatch[] {
  const batches: SequenceBatch[] = [];
  let first = 0;
  for (let index = 0; index < lengths.length; ) {
    const positions = lengths[index] ?? 0;
    const most = Math.max(1, Math.floor(RUN_TOKENS / positions));
    let sequences = 1;
    while (sequences < most && lengths[index + sequences] === positions) sequences += 1;
    batches.push({ first, sequences, positions });
    first += sequences * positions;
    index += sequences;
  }
  return batches;
}
