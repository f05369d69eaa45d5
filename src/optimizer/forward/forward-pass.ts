import type {
  ForwardBlock,
  ForwardModel,
} from '../../checkpoint/architectures/forward/forward-model.js';
import { type Activations, createActivations, type SpillOptions } from './activations.js';
import { normGraph } from './graphs/head-graph.js';
import { HIDDEN_INPUT, HIDDEN_OUTPUT } from './graphs/output-graph.js';
import type { Sessions } from './runtime/session.js';
import { batchSequences, RUN_TOKENS, type SequenceBatch } from './sequences.js';
import { AttentionTables } from './stages/attention-tables.js';
import type { KeptInputs } from './stages/kept-inputs.js';
import { runExperts } from './stages/run-experts.js';
import { runAttention, runFeedForward } from './stages/run-stage.js';
import type { StageCapture, StageRun } from './stages/stage-run.js';
import { StageWeights } from './stages/stage-weights.js';
import type { WeightSource } from './weights/weight-source.js';

export interface ForwardOptions {
  readonly sessions: Sessions;
  readonly signal: AbortSignal;
  readonly spill?: SpillOptions;
}

/** What a stage of a block is to do. */
export interface StageOptions {
  readonly capture?: StageCapture;
  /** Whether the activations move on; true unless given. */
  readonly advance?: boolean;
  /** The same sequences in the model as it was, which goes through the stage beside, and moves on when
   * this one does: what is captured then tells about both. */
  readonly original?: { readonly pass: ForwardPass; readonly source: WeightSource };
  /** Where a run that does not move on leaves the inputs of the stage's last layer for the one that does;
   * weights of the layers before it must not change in between. Mixtures of experts leave nothing. */
  readonly kept?: KeptInputs | undefined;
  readonly onTokens?: (tokens: number) => void;
}

export type BlockStage = 'attention' | 'feedForward';
export const BLOCK_STAGES: readonly BlockStage[] = ['attention', 'feedForward'];

/** A model's forward pass over a set of sequences, block by block: in memory are the activations (up to
 * a budget), the weights of one stage of one block, and what lies between its layers in one run. */
export class ForwardPass {
  readonly #model: ForwardModel;
  readonly #options: ForwardOptions;
  readonly #activations: Activations;
  readonly #batches: readonly SequenceBatch[];
  readonly #tables = new AttentionTables();

  private constructor(
    model: ForwardModel,
    options: ForwardOptions,
    activations: Activations,
    batches: readonly SequenceBatch[],
  ) {
    this.#model = model;
    this.#options = options;
    this.#activations = activations;
    this.#batches = batches;
  }

  /** Looks up the embeddings of all sequences.
   * @param sequences ids of tokens, each below the vocabulary's size; sequences of equal length should
   * lie beside each other, since they go through the model together. */
  static async begin(
    model: ForwardModel,
    source: WeightSource,
    sequences: readonly Int32Array[],
    options: ForwardOptions,
  ): Promise<ForwardPass> {
    const tokens = sequences.reduce((sum, { length }) => sum + length, 0);
    const activations = await createActivations(tokens, model.hiddenSize, options.spill);
    try {
      let first = 0;
      for (const sequence of sequences) {
        options.signal.throwIfAborted();
        await activations.write(first, await embed(model, source, sequence));
        first += sequence.length;
      }
    } catch (error) {
      await activations.close();
      throw error;
    }
    const batches = batchSequences(sequences.map(({ length }) => length));
    return new ForwardPass(model, options, activations, batches);
  }

  get tokens(): number {
    return this.#activations.tokens;
  }

  /** One stage of a block over all tokens. */
  async run(
    block: ForwardBlock,
    stage: BlockStage,
    source: WeightSource,
    { capture, advance = true, original, kept, onTokens }: StageOptions = {},
  ): Promise<void> {
    const { sessions, signal, spill = {} } = this.#options;
    const run: StageRun = {
      model: this.#model,
      sessions,
      tables: this.#tables,
      source,
      activations: this.#activations,
      batches: this.#batches,
      spill,
      capture,
      original: original && {
        source: original.source,
        activations: original.pass.#activations,
      },
      kept,
      advance,
      signal,
      onTokens,
    };
    if (stage === 'attention') return runAttention(block.attention, run);
    const { feedForward } = block;
    if (feedForward.kind === 'feed-forward') return runFeedForward(feedForward, run);
    await runExperts(feedForward, run);
    if (run.original === undefined || !advance) return;
    await runExperts(feedForward, {
      ...run,
      ...run.original,
      original: undefined,
      capture: undefined,
    });
  }

  /** The norm after the last block. */
  async finish(source: WeightSource): Promise<void> {
    const { hiddenSize, norms, finalNorm } = this.#model;
    const { sessions, signal } = this.#options;
    const weights = new StageWeights(source, norms.addOne);
    await weights.norm('norm', finalNorm);
    const spec = { kind: 'norm', hiddenSize, epsilon: norms.epsilon } as const;
    const session = await sessions.session(spec, normGraph);
    for (let first = 0; first < this.tokens; first += RUN_TOKENS) {
      signal.throwIfAborted();
      const count = Math.min(RUN_TOKENS, this.tokens - first);
      const shape = [count, hiddenSize];
      const { [HIDDEN_OUTPUT]: result } = await session.run(
        {
          ...weights.feeds,
          [HIDDEN_INPUT]: { values: await this.#activations.read(first, count), shape },
        },
        {},
        [HIDDEN_OUTPUT],
      );
      if (result !== undefined) await this.#activations.write(first, result);
    }
  }

  /** What consecutive tokens have at this point, `[count, width]`; not to be written to. */
  read(first: number, count: number): Promise<Float32Array> {
    return this.#activations.read(first, count);
  }

  close(): Promise<void> {
    return this.#activations.close();
  }
}

async function embed(
  { embedding, hiddenSize, vocabulary }: ForwardModel,
  source: WeightSource,
  sequence: Int32Array,
): Promise<Float32Array> {
  const values = new Float32Array(sequence.length * hiddenSize);
  const known = new Map<number, Float32Array>();
  for (const [index, token] of sequence.entries()) {
    if (token < 0 || token >= vocabulary) {
      throw new RangeError(`token ${token} is not one of ${vocabulary}`);
    }
    const row = known.get(token) ?? (await source.rows(embedding.module, token, 1)).values;
    known.set(token, row);
    values.set(row, index * hiddenSize);
  }
  return embedding.scale === 1 ? values : values.map((value) => value * embedding.scale);
}
