import type {
  AttentionStage,
  FeedForwardStage,
} from '../../../checkpoint/architectures/forward/forward-model.js';
import type { Activations } from '../activations.js';
import type { CaptureSpec } from '../graphs/capture.js';
import { HIDDEN_INPUT } from '../graphs/output-graph.js';
import type { Feed } from '../runtime/session.js';
import { cutTokens, type SequenceBatch } from '../sequences.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { InputsGraph, ShownInputs } from './inputs-graph.js';
import type { Lane } from './kept-inputs.js';
import { OutputLayer, type OutputParts } from './output-layer.js';
import { prepareAttention } from './prepare-attention.js';
import { networkTokens, prepareNetwork } from './prepare-network.js';
import { captureOf, originalCaptureOf, type StageRun } from './stage-run.js';

/** Attention or the feed-forward network of a block, as far as they differ. */
interface StageKind {
  readonly batches: readonly SequenceBatch[];
  readonly output: OutputParts;
  prepare(source: WeightSource, capture: CaptureSpec): Promise<InputsGraph>;
  /** What a run takes beside weights. */
  feeds(hidden: Float32Array, batch: SequenceBatch): Readonly<Record<string, Feed>>;
}

/** Attention of one block. */
export function runAttention(stage: AttentionStage, run: StageRun): Promise<void> {
  const { model, sessions, tables, batches } = run;
  return runStage(run, {
    batches,
    output: { module: stage.output, normAfter: stage.norms.after, residual: true },
    prepare: (source, capture) => prepareAttention(stage, model, source, capture, sessions),
    feeds: (hidden, { sequences, positions }) => {
      const { cos, sin } = tables.rotation(stage, positions);
      const mask = tables.mask(stage, positions);
      const rotated = [positions, stage.rotary.dimensions];
      return {
        [HIDDEN_INPUT]: { values: hidden, shape: [sequences, positions, model.hiddenSize] },
        cos: { values: cos, shape: rotated },
        sin: { values: sin, shape: rotated },
        mask,
        ends: { integers: mask.ends, shape: [mask.ends.length, 1] },
      };
    },
  });
}

/** The feed-forward network of one block. */
export function runFeedForward(stage: FeedForwardStage, run: StageRun): Promise<void> {
  const { model, sessions, activations } = run;
  const { before, after } = stage.norms;
  return runStage(run, {
    batches: cutTokens(activations.tokens, networkTokens(stage)),
    output: { module: stage.output, normAfter: after, residual: true },
    prepare: (source, capture) => prepareNetwork(stage, model, source, capture, sessions, before),
    feeds: (hidden, { positions }) => ({
      [HIDDEN_INPUT]: { values: hidden, shape: [positions, model.hiddenSize] },
    }),
  });
}

async function runStage(run: StageRun, kind: StageKind): Promise<void> {
  const { original, capture } = run;
  const own = await prepareLane(run, kind, 'own', run, captureOf(run));
  const beside =
    original && (await prepareLane(run, kind, 'original', original, originalCaptureOf(run)));
  for (const batch of kind.batches) {
    run.signal.throwIfAborted();
    await own.run(batch, await beside?.run(batch));
    run.onTokens?.(batch.sequences * batch.positions);
  }
  await Promise.all([own.end?.(), beside?.end?.()]);
  if (capture !== undefined) own.inputs?.tell(capture.sink);
}

/** One of the models that go through the stage side by side. */
interface ReadyLane {
  /** Undefined where those of the last layer were kept. */
  readonly inputs: InputsGraph | undefined;
  /** Runs a batch, and moves its activations on if the run does. */
  run(batch: SequenceBatch, beside?: ShownInputs): Promise<ShownInputs>;
  /** Waits for what is still being kept. */
  end?(): Promise<void>;
}

async function prepareLane(
  { model, sessions, advance, kept }: StageRun,
  kind: StageKind,
  lane: Lane,
  { source, activations }: { readonly source: WeightSource; readonly activations: Activations },
  capture: CaptureSpec,
): Promise<ReadyLane> {
  if (!advance) {
    const inputs = await kind.prepare(source, capture);
    const room = await kept?.room(lane, activations.tokens, inputs.columns);
    // What one batch leaves is written while the next one runs.
    let writing: Promise<void> = Promise.resolve();
    const run = async (batch: SequenceBatch, beside?: ShownInputs): Promise<ShownInputs> => {
      const tokens = batch.sequences * batch.positions;
      const hidden = await activations.read(batch.first, tokens);
      const shown = await inputs.run(kind.feeds(hidden, batch), tokens, beside);
      await writing;
      if (shown.output !== undefined && room !== undefined) {
        writing = room.write(batch.first, shown.output);
        // A failure is thrown where it is waited for, which may be a whole batch later.
        writing.catch(() => undefined);
      }
      return shown;
    };
    return { inputs, run, end: () => writing };
  }
  const given = kept?.of(lane);
  const inputs = given === undefined ? await kind.prepare(source, capture) : undefined;
  const output = await OutputLayer.prepare(model, kind.output, source, sessions);
  const readKept = given && readAhead(given, kind.batches);
  const run = async (batch: SequenceBatch, beside?: ShownInputs): Promise<ShownInputs> => {
    const tokens = batch.sequences * batch.positions;
    const hidden = await activations.read(batch.first, tokens);
    const shown = await inputs?.run(kind.feeds(hidden, batch), tokens, beside);
    const last = shown?.output ?? (await readKept?.());
    if (last === undefined) throw new Error('a stage has no inputs of its last layer');
    await activations.write(batch.first, await output.run(hidden, last));
    return { ...shown, output: last };
  };
  return { inputs, run };
}

/** Reads batch after batch, each while the one before it is at work. */
function readAhead(
  activations: Activations,
  batches: readonly SequenceBatch[],
): () => Promise<Float32Array | undefined> {
  let index = 0;
  const readNext = (): Promise<Float32Array> | undefined => {
    const batch = batches[index];
    index += 1;
    const read = batch && activations.read(batch.first, batch.sequences * batch.positions);
    // A failure is thrown where it is waited for, which may be a whole batch later.
    read?.catch(() => undefined);
    return read;
  };
  let next = readNext();
  return async () => {
    const values = await next;
    next = readNext();
    return values;
  };
}
