import type { ForwardModel } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { Activations, SpillOptions } from '../activations.js';
import type { Sessions } from '../runtime/session.js';
import type { SequenceBatch } from '../sequences.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { AttentionTables } from './attention-tables.js';

/** Is told about the inputs of linear layers as they pass. Values are valid during the call only. */
export interface CaptureSink {
  /**
   * @param modules the linear layers that see these inputs.
   * @param gram `XᵀX` over the tokens of this run, `[columns, columns]`.
   * @param magnitude sum of |x| for each column.
   * @param largest largest |x| of each column.
   */
  add(
    modules: readonly string[],
    tokens: number,
    gram: Float32Array,
    magnitude: Float32Array,
    largest: Float32Array,
  ): void;
}

/** One stage of a block, over all tokens. */
export interface StageRun {
  readonly model: ForwardModel;
  readonly sessions: Sessions;
  readonly tables: AttentionTables;
  readonly source: WeightSource;
  readonly activations: Activations;
  readonly batches: readonly SequenceBatch[];
  /** Where further activations go. */
  readonly spill: SpillOptions;
  /** Told about the inputs of linear layers. */
  readonly capture?: CaptureSink | undefined;
  /** Whether the activations become what the stage makes of them; otherwise it is only watched. */
  readonly advance: boolean;
  readonly signal: AbortSignal;
  readonly onTokens?: ((tokens: number) => void) | undefined;
}
