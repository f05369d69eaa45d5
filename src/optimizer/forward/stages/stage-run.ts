import type { ForwardModel } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { Activations, SpillOptions } from '../activations.js';
import type { CapturePlace, CaptureSpec } from '../graphs/capture.js';
import type { Sessions } from '../runtime/session.js';
import type { SequenceBatch } from '../sequences.js';
import type { WeightSource } from '../weights/weight-source.js';
import type { AttentionTables } from './attention-tables.js';
import type { KeptInputs } from './kept-inputs.js';

/** Sums over all tokens that went through a stage, of the inputs X of some of its linear layers. */
export interface InputSums {
  readonly columns: number;
  readonly tokens: number;
  /** `XᵀX`, of even tokens where that was wanted: `[columns, columns]`, both halves filled. */
  readonly gram: Float32Array;
  /** Sum of |x| for each column, where it was wanted. */
  readonly magnitude?: Float32Array;
  /** Largest |x| of each column, where it was wanted. */
  readonly largest?: Float32Array;
  /** `XᵀX′` with the inputs of the original model, where it ran beside. */
  readonly product?: Float32Array;
}

/** Is told about the inputs of linear layers after they have passed. */
export interface CaptureSink {
  /** @param modules the linear layers that see these inputs.
   * @param sums the sink may keep and change them. */
  add(modules: readonly string[], sums: InputSums): void;
}

/** Who is told about which inputs. */
export interface StageCapture {
  readonly sink: CaptureSink;
  /** In the order in which they come. */
  readonly places: readonly CapturePlace[];
  /** Whether tokens are brought to the same size before they are summed up. */
  readonly evenTokens: boolean;
  /** Whether it is told about |x| too; true unless given. */
  readonly magnitudes?: boolean;
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
  /** Inputs of the stage's last layer: a run that only watches leaves them here, and one that moves on
   * begins with those that it finds. */
  readonly kept?: KeptInputs | undefined;
  /** Whether the activations become what the stage makes of them; otherwise it is only watched. */
  readonly advance: boolean;
  readonly signal: AbortSignal;
  readonly onTokens?: ((tokens: number) => void) | undefined;
}

/** What a run's graphs tell about the inputs of linear layers. */
export function captureOf({ capture, original, advance, kept }: StageRun): CaptureSpec {
  return {
    shown: advance || kept !== undefined ? ['output'] : [],
    sums: capture && {
      places: capture.places,
      beside: original !== undefined,
      evenTokens: capture.evenTokens,
      magnitudes: capture.magnitudes ?? true,
    },
  };
}

/** What those of the original model beside it do. */
export function originalCaptureOf(run: StageRun): CaptureSpec {
  const { shown } = captureOf(run);
  return { shown: [...new Set([...(run.capture?.places ?? []), ...shown])], sums: undefined };
}
