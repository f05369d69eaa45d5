import type {
  FeedForwardStage,
  GatedNetwork,
} from '../../../checkpoint/architectures/forward/forward-model.js';
import { HIDDEN_INPUT, HIDDEN_OUTPUT } from '../graphs/attention-graph.js';
import type { CaptureSpec } from '../graphs/capture.js';
import { type FeedForwardGraphSpec, feedForwardGraph } from '../graphs/feed-forward-graph.js';
import { RUN_TOKENS } from '../sequences.js';
import type { WeightSource } from '../weights/weight-source.js';
import { type CapturedInputs, Captures, inputsAmong, inputsWanted } from './captures.js';
import { captureOf, originalCaptureOf, type StageRun } from './stage-run.js';
import { StageWeights } from './stage-weights.js';

/** Bytes that the widest activations between two layers may take in one run. */
const MAX_WIDE_BYTES = 64 * 1024 * 1024;

/** The feed-forward network of one block. */
export async function runFeedForward(stage: FeedForwardStage, run: StageRun): Promise<void> {
  const { activations, original, advance } = run;
  const parts = { norms: stage.norms };
  const network = await prepareNetwork(stage, run, run.source, captureOf(run), parts);
  const beside =
    original === undefined
      ? undefined
      : await prepareNetwork(stage, run, original.source, originalCaptureOf(run), parts);
  for (let first = 0; first < activations.tokens; first += network.maxTokens) {
    run.signal.throwIfAborted();
    const tokens = Math.min(network.maxTokens, activations.tokens - first);
    let inputs: CapturedInputs | undefined;
    if (original !== undefined && beside !== undefined) {
      const found = await beside.run(await original.activations.read(first, tokens));
      if (advance && found.result !== undefined) {
        await original.activations.write(first, found.result);
      }
      inputs = found.inputs;
    }
    const { result } = await network.run(await activations.read(first, tokens), inputs);
    if (result !== undefined) await activations.write(first, result);
    run.onTokens?.(tokens);
  }
}

/** A gated network whose weights are at hand. */
export interface ReadyNetwork {
  readonly maxTokens: number;
  /** @param x `[tokens, width]`.
   * @param beside the original model's inputs where they are captured too. */
  run(x: Float32Array, beside?: CapturedInputs): Promise<NetworkResult>;
}

export interface NetworkResult {
  /** Shaped as the input, and valid until the next run; undefined where the run does not move on. */
  readonly result: Float32Array | undefined;
  readonly inputs: CapturedInputs;
}

/** What goes with a network: norms where its graph has them and the residual connection, or a linear
 * module whose sigmoid the result is multiplied by. */
interface NetworkParts {
  readonly norms?: { readonly before: string; readonly after: string | undefined };
  readonly gate?: string | undefined;
}

/** Reads a network's weights. */
export async function prepareNetwork(
  network: GatedNetwork,
  { model, sessions, capture, advance }: StageRun,
  source: WeightSource,
  spec: CaptureSpec | undefined,
  { norms, gate }: NetworkParts,
): Promise<ReadyNetwork> {
  const { hiddenSize } = model;
  const weights = new StageWeights(source, model.norms.addOne);
  if (norms !== undefined) await weights.norm('norm', norms.before);
  if (norms?.after !== undefined) await weights.norm('norm_after', norms.after);
  const inputs = await weights.projections(network.inputs);
  const output = await weights.linear('output', network.output);
  const graph: FeedForwardGraphSpec = {
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
    capture: spec,
    result: advance,
  };
  const session = await sessions.session(graph, feedForwardGraph);
  const points = {
    input: { columns: hiddenSize, modules: network.inputs.map(({ module }) => module) },
    output: { columns: output.columns, modules: [network.output] },
  };
  const captures =
    spec === undefined || spec.kind === 'inputs' || capture === undefined
      ? undefined
      : new Captures(points, spec, capture.sink);
  const widest = Math.max(...inputs.map(({ rows }) => rows), output.columns);
  const affordable = Math.floor(MAX_WIDE_BYTES / (widest * Float32Array.BYTES_PER_ELEMENT));
  let result = new Float32Array();
  return {
    maxTokens: Math.max(1, Math.min(RUN_TOKENS, affordable)),
    run: async (x, beside) => {
      const tokens = x.length / hiddenSize;
      const shape = [tokens, hiddenSize];
      if (advance && result.length !== x.length) result = new Float32Array(x.length);
      const outputs = {
        ...(advance && { [HIDDEN_OUTPUT]: { values: result, shape } }),
        ...captures?.outputs,
      };
      const results = await session.run(
        {
          ...weights.feeds,
          ...captures?.beside(beside, tokens),
          [HIDDEN_INPUT]: { values: x, shape },
        },
        outputs,
        [...Object.keys(outputs), ...(spec === undefined ? [] : inputsWanted(spec))],
      );
      captures?.tell(tokens);
      return {
        result: advance ? result : undefined,
        inputs: spec === undefined ? {} : inputsAmong(results, spec),
      };
    },
  };
}
