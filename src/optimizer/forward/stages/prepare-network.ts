import type {
  ForwardModel,
  GatedNetwork,
} from '../../../checkpoint/architectures/forward/forward-model.js';
import type { CaptureSpec } from '../graphs/capture.js';
import { type FeedForwardGraphSpec, feedForwardGraph } from '../graphs/feed-forward-graph.js';
import type { Sessions } from '../runtime/session.js';
import { RUN_TOKENS } from '../sequences.js';
import type { WeightSource } from '../weights/weight-source.js';
import { InputsGraph } from './inputs-graph.js';
import { StageWeights } from './stage-weights.js';

/** Bytes that the widest activations between two layers may take in one run. */
const MAX_WIDE_BYTES = 64 * 1024 * 1024;

/** Tokens that go through a network in one run. */
export function networkTokens({ inputs }: GatedNetwork): number {
  const widths = inputs.map(({ outputs }) => outputs.reduce((sum, { size }) => sum + size, 0));
  const bytes = Math.max(...widths) * Float32Array.BYTES_PER_ELEMENT;
  return Math.max(1, Math.min(RUN_TOKENS, Math.floor(MAX_WIDE_BYTES / bytes)));
}

/** Reads the weights of a gated network up to its last layer's inputs.
 * @param normBefore the norm that is part of it; experts get inputs that are normed already. */
export async function prepareNetwork(
  network: GatedNetwork,
  { hiddenSize, norms }: ForwardModel,
  source: WeightSource,
  capture: CaptureSpec,
  sessions: Sessions,
  normBefore?: string,
): Promise<InputsGraph> {
  const weights = new StageWeights(source, norms.addOne);
  if (normBefore !== undefined) await weights.norm('norm', normBefore);
  const inputs = await weights.projections(network.inputs);
  const gate = network.inputs.flatMap(({ outputs }) => outputs).find(({ name }) => name === 'gate');
  const width = gate?.size ?? 0;
  const spec: FeedForwardGraphSpec = {
    kind: 'feed-forward',
    hiddenSize,
    epsilon: norms.epsilon,
    width,
    activation: network.activation,
    inputs,
    normBefore: normBefore !== undefined,
    capture,
  };
  const points = {
    input: { columns: hiddenSize, modules: network.inputs.map(({ module }) => module) },
    output: { columns: width, modules: [network.output] },
  };
  return new InputsGraph(
    await sessions.session(spec, feedForwardGraph),
    weights.feeds,
    points,
    capture,
  );
}
