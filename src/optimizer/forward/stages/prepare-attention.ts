import type {
  AttentionStage,
  ForwardModel,
} from '../../../checkpoint/architectures/forward/forward-model.js';
import { type AttentionGraphSpec, attentionGraph } from '../graphs/attention-graph.js';
import type { CaptureSpec } from '../graphs/capture.js';
import type { Sessions } from '../runtime/session.js';
import type { WeightSource } from '../weights/weight-source.js';
import { InputsGraph } from './inputs-graph.js';
import { StageWeights } from './stage-weights.js';

/** Reads the weights of a block's attention up to its last layer's inputs. */
export async function prepareAttention(
  stage: AttentionStage,
  { hiddenSize, norms }: ForwardModel,
  source: WeightSource,
  capture: CaptureSpec,
  sessions: Sessions,
): Promise<InputsGraph> {
  const weights = new StageWeights(source, norms.addOne);
  await weights.norm('norm', stage.norms.before);
  if (stage.headNorms !== undefined) {
    await weights.norm('query_norm', stage.headNorms.query);
    await weights.norm('key_norm', stage.headNorms.key);
  }
  const spec: AttentionGraphSpec = {
    kind: 'attention',
    hiddenSize,
    epsilon: norms.epsilon,
    heads: stage.heads,
    keyValueHeads: stage.keyValueHeads,
    headSize: stage.headSize,
    rotaryDimensions: stage.rotary.dimensions,
    scale: stage.scale,
    softcap: stage.softcap,
    inputs: await weights.projections(stage.inputs),
    headNorms: stage.headNorms !== undefined,
    capture,
  };
  const points = {
    input: { columns: hiddenSize, modules: stage.inputs.map(({ module }) => module) },
    output: { columns: stage.heads * stage.headSize, modules: [stage.output] },
  };
  return new InputsGraph(
    await sessions.session(spec, attentionGraph),
    weights.feeds,
    points,
    capture,
  );
}
