import type { CompilationStepReport } from './compilation-types.js';
import type { ShardingStepReport } from './sharding-types.js';
import type { SizesReport, TechniqueReport } from './step-report.js';

/** Name of the report in a step's output. */
export const REPORT_FILE = 'optimization-report.json';

/** Raised when a member changes its meaning or goes; new members alone do not raise it. */
export const REPORT_VERSION = 1;

/** `optimization-report.json`: what was done to the model beside it. Everything in it was measured in
 * that very job; what was not measured is not in it. */
export interface OptimizationReport {
  readonly schemaVersion: typeof REPORT_VERSION;
  /** The report is written last: where it is, the model beside it is whole. False where the last step
   * was stopped before its end: some layers are as they were, and its notes say how many. */
  readonly complete: boolean;
  /** What was done, in order; earlier steps on the same model come first. */
  readonly steps: readonly StepReport[];
  /** Every file of the result but this one, measured by reading it again after it was written. */
  readonly files: readonly FileReport[];
  /** Faults of the object store that were got over by trying again: while the source was brought here, and
   * while the result was sent off, up to this report. Written by the service; absent where there is
   * none. */
  readonly transientFaults?: {
    readonly staging: TransientFaults;
    readonly publishing: TransientFaults;
  };
}

export interface TransientFaults {
  readonly total: number;
  /** How often each kind was met, for example `SlowDown`. */
  readonly byKind: Readonly<Record<string, number>>;
}

export interface FileReport {
  /** From the result's folder, parts joined by `/`. */
  readonly name: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

/** One step, told by its technique. Sizes are bytes, times are seconds. */
export type StepReport = QuantizationStepReport | ShardingStepReport | CompilationStepReport;

/** One quantization step. */
export interface QuantizationStepReport extends TechniqueReport {
  readonly technique: 'quantization';
  readonly model: {
    /** `model_type` of its configuration. */
    readonly type: string;
    /** The table entry by which its layers were found; null where that was the generic rule. */
    readonly architecture: string | null;
    /** Elements of all tensors of the source. */
    readonly parameters: number;
  };
  /** `quant_method` and `format` of the result's configuration. */
  readonly format: { readonly method: string; readonly name: string };
  readonly layers: readonly LayerReport[];
  /** Modules with a two-dimensional weight that kept it, and why. */
  readonly unquantized: readonly { readonly module: string; readonly reason: string }[];
  readonly totals: SizesReport & {
    /** `weightBytesBefore / weightBytesAfter`. */
    readonly ratio: number;
    /** Part of the parameters that were quantized, from 0 to 1. */
    readonly quantizedShare: number;
    /** Root mean square of the error over all quantized weights, relative to that of the weights. */
    readonly relativeRms: number;
  };
  /** Null where it was not measured; a note says why. */
  readonly evaluation: EvaluationReport | null;
  /** What the technique was calibrated with; null for one that needs no data. */
  readonly calibration: CalibrationReport | null;
  readonly verification: {
    /** Rows of each layer that were read back, decoded and compared with the source: the one with the
     * worst error, and one drawn by a generator with this seed. */
    readonly seed: number;
    readonly layers: number;
  };
}

/** Perplexity of the source and of the result, which was read again from its files, by one engine: `exp`
 * of the mean negative log-likelihood over consecutive windows of a text, without special tokens. */
export interface EvaluationReport {
  readonly text: string;
  /** Tokens that were predicted: each from those before it in its window. */
  readonly tokens: number;
  readonly window: number;
  readonly before: number;
  readonly after: number;
  /** `after / before` */
  readonly ratio: number;
  readonly seconds: number;
}

export interface CalibrationReport {
  readonly text: string;
  readonly samples: number;
  readonly tokens: number;
  readonly longestSample: number;
  readonly seed: number;
  /** Processor threads of the forward passes. With as many on another machine the result is the same. */
  readonly threads: number;
}

export interface LayerReport {
  readonly module: string;
  /** Rows (outputs) and columns (inputs). */
  readonly shape: readonly [number, number];
  readonly scheme: {
    readonly type: 'int' | 'float';
    readonly bits: number;
    readonly strategy: 'channel' | 'group';
    /** Columns that share a scale; null for one scale per channel. */
    readonly groupSize: number | null;
    readonly symmetric: boolean;
  };
  readonly error: {
    /** Root mean square of the error relative to that of the weights. */
    readonly relativeRms: number;
    /** Root mean square of the error of the layer's output over the calibration's inputs, relative to
     * that of the output; null for techniques that need no data. */
    readonly output: number | null;
    /** The element that is furthest off. */
    readonly worst: {
      readonly absolute: number;
      readonly row: number;
      readonly column: number;
    };
  };
  readonly bytesBefore: number;
  /** Codes, scales and whatever else takes the weight's place. */
  readonly bytesAfter: number;
  /** Time since the tensor before it was finished. Layers are worked on at the same time; over all
   * tensors these add up to the phase. */
  readonly seconds: number;
}
