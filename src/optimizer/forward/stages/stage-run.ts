import type { ForwardModel } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { Activations, SpillOptions } from '../activations.js';
import type { CapturePlace, CaptureSpec } from '../graphs/capture.js';
import type { Sessions } from '../runtime/session.js';
import type { SequenceBatch } from '../sequences.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { AttentionTables } from './attention-tables.js';

/** Is told about the inputs of linear layers as they pass. Values are valid during the call only. */
export interface CaptureSink {
  /**
   * @param modules the linear layers that see these inputs.
   * @param gram `XᵀX` over the tokens of this run, even where that is wanted: `[columns, columns]`.
   * @param magnitude sum of |x| for each column.
   * @param largest largest |x| of each column.
   * @param product `XᵀX′` with the inputs of the original model, where it runs beside.
   */
  add(
    modules: readonly string[],
    tokens: number,
    gram: Float32Array,
    magnitude: Float32Array,
    largest: Float32Array,
    product?: Float32Array,
  ): void;
}

/** Who is told about which inputs. */
export interface StageCapture {
  readonly sink: CaptureSink;
  /** In the order in which they come. */
  readonly places: readonly CapturePlace[];
  /** Whether tokens are brought to the same size before they are summed up. */
  readonly evenTokens: boolean;
}

/** The model as it was: its weights, and what every token has in it. */
export interface OriginalRun {
  readonly source: WeightSource;
  readonly activations: Activations;
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
  readonly capture?: StageCapture | undefined;
  /** The model as it was, which runs beside for the sake of the capture. */
  readonly original?: OriginalRun | undefined;
  /** Whether the activations become what the stage makes of them; otherwise it is only watched. */
  readonly advance: boolean;
  readonly signal: AbortSignal;
  readonly onTokens?: ((tokens: number) => void) | undefined;
}

/** What the graphs of a run capture. */
export function captureOf({ capture, original }: StageRun): CaptureSpec | undefined {
  if (capture === undefined) return undefined;
  const { places, evenTokens } = capture;
  return { kind: original === undefined ? 'sums' : 'sums-beside', places, evenTokens };
}

/** What those of the original model beside it do. */
export function originalCaptureOf({ capture }: StageRun): CaptureSpec | undefined {
  return capture && { kind: 'inputs', places: capture.places, evenTokens: false };
}
