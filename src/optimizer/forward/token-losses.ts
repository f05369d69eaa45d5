import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import type { ForwardPass } from './forward-pass.js';
import {
  HEAD_ROLE,
  headGraph,
  LARGEST_OUTPUT,
  SUM_OUTPUT,
  TARGET_OUTPUT,
  TARGETS_INPUT,
} from './graphs/head-graph.js';
import { weightInput } from './graphs/linear.js';
import { HIDDEN_INPUT } from './graphs/output-graph.js';
import type { Sessions } from './runtime/session.js';
import type { WeightSource } from './weights/weight-source.js';

/** Bytes that the logits of one run may take: a few such results lie beside each other. */
const MAX_LOGIT_BYTES = 8 * 1024 * 1024;

/** Rows of the output layer that are in memory at a time. */
const HEAD_ROWS = 4096;

/** Marks a token that nothing is expected of. */
export const NO_TARGET = -1;

/** For each token the negative logarithm of the probability that the model gives its target, in nats;
 * 0 where there is none. The output layer is read once, some rows at a time, and its logits exist only
 * for some rows and tokens at a time.
 * @param pass finished.
 * @param targets for each token the id of the one that comes after it, or {@link NO_TARGET}. */
export async function tokenLosses(
  model: ForwardModel,
  source: WeightSource,
  pass: ForwardPass,
  targets: Int32Array,
  {
    sessions,
    signal,
    onTokens,
  }: {
    readonly sessions: Sessions;
    readonly signal: AbortSignal;
    /** Told the share of the work that was done, in tokens. */
    readonly onTokens?: (tokens: number) => void;
  },
): Promise<Float64Array> {
  const { hiddenSize, vocabulary, head } = model;
  const spec = { kind: 'head', hiddenSize, softcap: head.softcap } as const;
  const session = await sessions.session(spec, headGraph);
  const largest = new Float64Array(pass.tokens).fill(Number.NEGATIVE_INFINITY);
  const sums = new Float64Array(pass.tokens);
  const wanted = new Float64Array(pass.tokens);
  for (let firstRow = 0; firstRow < vocabulary; firstRow += HEAD_ROWS) {
    const rows = Math.min(HEAD_ROWS, vocabulary - firstRow);
    const { values } = await source.rows(head.module, firstRow, rows);
    const step = Math.max(1, Math.floor(MAX_LOGIT_BYTES / (rows * Float32Array.BYTES_PER_ELEMENT)));
    for (let first = 0; first < pass.tokens; first += step) {
      signal.throwIfAborted();
      const count = Math.min(step, pass.tokens - first);
      const local = targets.subarray(first, first + count);
      const inRows = (target: number): boolean => target >= firstRow && target < firstRow + rows;
      const results = await session.run(
        {
          [HIDDEN_INPUT]: { values: await pass.read(first, count), shape: [count, hiddenSize] },
          [weightInput(HEAD_ROLE)]: { values, shape: [rows, hiddenSize] },
          [TARGETS_INPUT]: {
            integers: BigInt64Array.from(local, (target) =>
              BigInt(inRows(target) ? target - firstRow : 0),
            ),
            shape: [count, 1],
          },
        },
        {},
        [LARGEST_OUTPUT, SUM_OUTPUT, TARGET_OUTPUT],
      );
      for (const [index, target] of local.entries()) {
        const token = first + index;
        const here = results[LARGEST_OUTPUT]?.[index] ?? Number.NaN;
        const before = largest[token] ?? Number.NaN;
        const most = Math.max(before, here);
        sums[token] =
          (sums[token] ?? 0) * Math.exp(before - most) +
          (results[SUM_OUTPUT]?.[index] ?? Number.NaN) * Math.exp(here - most);
        largest[token] = most;
        if (inRows(target)) wanted[token] = results[TARGET_OUTPUT]?.[index] ?? Number.NaN;
      }
      onTokens?.((count * rows) / vocabulary);
    }
  }
  return Float64Array.from(targets, (target, token) =>
    target === NO_TARGET
      ? 0
      : (largest[token] ?? Number.NaN) + Math.log(sums[token] ?? 0) - (wanted[token] ?? 0),
  );
}
