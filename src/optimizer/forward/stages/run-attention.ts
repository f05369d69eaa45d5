import type { AttentionStage } from '../../../checkpoint/architectures/forward/forward-model.js';
import {
  type AttentionGraphSpec,
  attentionGraph,
  HIDDEN_INPUT,
  HIDDEN_OUTPUT,
  INPUT_POINT,
  OUTPUT_POINT,
} from '../graphs/attention-graph.js';
import { Captures } from './captures.js';
import type { StageRun } from './stage-run.js';
import { StageWeights } from './stage-weights.js';

/** Attention of one block. */
export async function runAttention(stage: AttentionStage, run: StageRun): Promise<void> {
  const { model, activations, signal } = run;
  const { hiddenSize } = model;
  const weights = new StageWeights(run.source, model.norms.addOne);
  await weights.norm('norm', stage.norms.before);
  if (stage.norms.after !== undefined) await weights.norm('norm_after', stage.norms.after);
  if (stage.headNorms !== undefined) {
    await weights.norm('query_norm', stage.headNorms.query);
    await weights.norm('key_norm', stage.headNorms.key);
  }
  const spec: AttentionGraphSpec = {
    kind: 'attention',
    hiddenSize,
    epsilon: model.norms.epsilon,
    heads: stage.heads,
    keyValueHeads: stage.keyValueHeads,
    headSize: stage.headSize,
    rotaryDimensions: stage.rotary.dimensions,
    scale: stage.scale,
    softcap: stage.softcap,
    inputs: await weights.projections(stage.inputs),
    output: await weights.linear('output', stage.output),
    headNorms: stage.headNorms !== undefined,
    normAfter: stage.norms.after !== undefined,
    capture: run.capture !== undefined,
  };
  const session = await run.sessions.session(spec, attentionGraph);
  const captures =
    run.capture === undefined
      ? undefined
      : new Captures(
          [
            {
              name: INPUT_POINT,
              columns: hiddenSize,
              modules: stage.inputs.map(({ module }) => module),
            },
            {
              name: OUTPUT_POINT,
              columns: stage.heads * stage.headSize,
              modules: [stage.output],
            },
          ],
          run.capture,
        );
  let result = new Float32Array();
  for (const { first, sequences, positions } of run.batches) {
    signal.throwIfAborted();
    const tokens = sequences * positions;
    const shape = [sequences, positions, hiddenSize];
    if (result.length !== tokens * hiddenSize) result = new Float32Array(tokens * hiddenSize);
    const { cos, sin } = run.tables.rotation(stage, positions);
    const rotationShape = [positions, stage.rotary.dimensions];
    await session.run(
      {
        ...weights.feeds,
        [HIDDEN_INPUT]: { values: await activations.read(first, tokens), shape },
        cos: { values: cos, shape: rotationShape },
        sin: { values: sin, shape: rotationShape },
        mask: { values: run.tables.mask(stage, positions), shape: [positions, positions] },
      },
      { [HIDDEN_OUTPUT]: { values: result, shape }, ...captures?.outputs },
    );
    captures?.tell(tokens);
    if (run.advance) await activations.write(first, result);
    run.onTokens?.(tokens);
  }
}
