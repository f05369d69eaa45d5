import type { AttentionStage } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { Activations } from '../activations.js';
import {
  type AttentionGraphSpec,
  attentionGraph,
  HIDDEN_INPUT,
  HIDDEN_OUTPUT,
} from '../graphs/attention-graph.js';
import type { CaptureSpec } from '../graphs/capture.js';
import type { SequenceBatch } from '../sequences.js';
import type { WeightSource } from '../weights/weight-source.js';
import { type CapturedInputs, Captures, inputsAmong, inputsWanted } from './captures.js';
import { captureOf, originalCaptureOf, type StageCapture, type StageRun } from './stage-run.js';
import { StageWeights } from './stage-weights.js';

/** Attention of one block. */
export async function runAttention(stage: AttentionStage, run: StageRun): Promise<void> {
  const { original, activations, batches, signal } = run;
  const own = await prepare(stage, run, run.source, captureOf(run), run.capture);
  const beside =
    original === undefined
      ? undefined
      : await prepare(stage, run, original.source, originalCaptureOf(run), undefined);
  for (const batch of batches) {
    signal.throwIfAborted();
    const inputs = original && (await beside?.(batch, original.activations));
    await own(batch, activations, inputs);
    run.onTokens?.(batch.sequences * batch.positions);
  }
}

/** Runs a batch, moves its activations on if the run does, and gives the inputs that were captured. */
type ReadyAttention = (
  batch: SequenceBatch,
  activations: Activations,
  beside?: CapturedInputs,
) => Promise<CapturedInputs>;

async function prepare(
  stage: AttentionStage,
  { model, sessions, tables, advance }: StageRun,
  source: WeightSource,
  spec: CaptureSpec | undefined,
  capture: StageCapture | undefined,
): Promise<ReadyAttention> {
  const { hiddenSize } = model;
  const weights = new StageWeights(source, model.norms.addOne);
  await weights.norm('norm', stage.norms.before);
  if (stage.norms.after !== undefined) await weights.norm('norm_after', stage.norms.after);
  if (stage.headNorms !== undefined) {
    await weights.norm('query_norm', stage.headNorms.query);
    await weights.norm('key_norm', stage.headNorms.key);
  }
  const graph: AttentionGraphSpec = {
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
    capture: spec,
    result: advance,
  };
  const session = await sessions.session(graph, attentionGraph);
  const points = {
    input: { columns: hiddenSize, modules: stage.inputs.map(({ module }) => module) },
    output: { columns: stage.heads * stage.headSize, modules: [stage.output] },
  };
  const captures =
    spec === undefined || capture === undefined
      ? undefined
      : new Captures(points, spec, capture.sink);
  let result = new Float32Array();
  return async ({ first, sequences, positions }, activations, beside) => {
    const tokens = sequences * positions;
    const shape = [sequences, positions, hiddenSize];
    if (advance && result.length !== tokens * hiddenSize) {
      result = new Float32Array(tokens * hiddenSize);
    }
    const { cos, sin } = tables.rotation(stage, positions);
    const rotationShape = [positions, stage.rotary.dimensions];
    const outputs = {
      ...(advance && { [HIDDEN_OUTPUT]: { values: result, shape } }),
      ...captures?.outputs,
    };
    const results = await session.run(
      {
        ...weights.feeds,
        ...captures?.beside(beside, tokens),
        [HIDDEN_INPUT]: { values: await activations.read(first, tokens), shape },
        cos: { values: cos, shape: rotationShape },
        sin: { values: sin, shape: rotationShape },
        mask: { values: tables.mask(stage, positions), shape: [positions, positions] },
      },
      outputs,
      [...Object.keys(outputs), ...(spec === undefined ? [] : inputsWanted(spec))],
    );
    captures?.tell(tokens);
    if (advance) await activations.write(first, result);
    return spec === undefined ? {} : inputsAmong(results, spec);
  };
}
