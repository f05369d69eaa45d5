import type {
  FeedForwardStage,
  GatedNetwork,
} from '../../../checkpoint/architectures/forward/forward-model.js';
import {
  HIDDEN_INPUT,
  HIDDEN_OUTPUT,
  INPUT_POINT,
  OUTPUT_POINT,
} from '../graphs/attention-graph.js';
import { type FeedForwardGraphSpec, feedForwardGraph } from '../graphs/feed-forward-graph.js';
import { RUN_TOKENS } from '../sequences.js';
import { Captures } from './captures.js';
import type { StageRun } from './stage-run.js';
import { StageWeights } from './stage-weights.js';

/** Bytes that the widest activations between two layers may take in one run. */
const MAX_WIDE_BYTES = 64 * 1024 * 1024;

/** The feed-forward network of one block. */
export async function runFeedForward(stage: FeedForwardStage, run: StageRun): Promise<void> {
  const network = await prepareNetwork(stage, run, stage.norms, undefined);
  const { activations } = run;
  for (let first = 0; first < activations.tokens; first += network.maxTokens) {
    run.signal.throwIfAborted();
    const tokens = Math.min(network.maxTokens, activations.tokens - first);
    const result = await network.run(await activations.read(first, tokens));
    if (run.advance) await activations.write(first, result);
    run.onTokens?.(tokens);
  }
}

/** A gated network whose weights are at hand. */
export interface ReadyNetwork {
  readonly maxTokens: number;
  /** @param x `[tokens, width]`; what comes back is shaped as it, and valid until the next run. */
  run(x: Float32Array): Promise<Float32Array>;
}

/** Reads a network's weights.
 * @param norms given where the graph has the norms and the residual connection.
 * @param gate a linear module whose sigmoid the result is multiplied by. */
export async function prepareNetwork(
  network: GatedNetwork,
  { model, sessions, source, capture }: StageRun,
  norms: { readonly before: string; readonly after: string | undefined } | undefined,
  gate: string | undefined,
): Promise<ReadyNetwork> {
  const { hiddenSize } = model;
  const weights = new StageWeights(source, model.norms.addOne);
  if (norms !== undefined) await weights.norm('norm', norms.before);
  if (norms?.after !== undefined) await weights.norm('norm_after', norms.after);
  const inputs = await weights.projections(network.inputs);
  const output = await weights.linear('output', network.output);
  const spec: FeedForwardGraphSpec = {
    kind: 'feed-forward',
    hiddenSize,
    epsilon: model.norms.epsilon,
    width: output.columns,
    activation: network.activation,
    inputs,
    output,
    whole: norms !== undefined,
    normAfter: norms?.after !== undefined,
    gate: gate === undefined ? undefined : await weights.linear('gate', gate),
    capture: capture !== undefined,
  };
  const session = await sessions.session(spec, feedForwardGraph);
  const captures =
    capture === undefined
      ? undefined
      : new Captures(
          [
            {
              name: INPUT_POINT,
              columns: hiddenSize,
              modules: network.inputs.map(({ module }) => module),
            },
            { name: OUTPUT_POINT, columns: output.columns, modules: [network.output] },
          ],
          capture,
        );
  const widest = Math.max(...inputs.map(({ rows }) => rows), output.columns);
  const affordable = Math.floor(MAX_WIDE_BYTES / (widest * Float32Array.BYTES_PER_ELEMENT));
  let result = new Float32Array();
  return {
    maxTokens: Math.max(1, Math.min(RUN_TOKENS, affordable)),
    run: async (x) => {
      const tokens = x.length / hiddenSize;
      const shape = [tokens, hiddenSize];
      if (result.length !== x.length) result = new Float32Array(x.length);
      await session.run(
        { ...weights.feeds, [HIDDEN_INPUT]: { values: x, shape } },
        { [HIDDEN_OUTPUT]: { values: result, shape }, ...captures?.outputs },
      );
      captures?.tell(tokens);
      return result;
    },
  };
}
