import type { FileRange } from './file-range.js';
import type { FloatType } from './float-type.js';
import type { WeightScheme } from './weight-scheme.js';

/**
 * One whole weight to encode: read from `source`, results written into already existing files at
 * `codes`, `scales` and (asymmetric schemes) `zeroPoints`. Range lengths must be exactly those of
 * `encodedLayout`.
 */
export interface QuantizeRowsTask {
  /** The tensor's name, for error messages. */
  readonly name: string;
  readonly source: FileRange;
  readonly sourceType: FloatType;
  readonly rows: number;
  readonly columns: number;
  readonly scheme: WeightScheme;
  readonly scaleType: FloatType;
  readonly codes: FileRange;
  readonly scales: FileRange;
  readonly zeroPoints?: FileRange;
}

/**
 * What encoding cost, measured on the decoded codes with the scales as stored. The sums are good to
 * about 1e-6 of themselves; weights below 2^-60 of their own scale, which only F16 scales can be so
 * far above, count as nothing in them.
 */
export interface QuantizationError {
  /** sqrt(sumSquaredError / sumSquares); 0 for an all-zero weight. */
  readonly relativeRms: number;
  /** Largest |w - decoded w|, and where it is. */
  readonly worstAbsolute: number;
  readonly worstRow: number;
  readonly worstColumn: number;
  readonly sumSquaredError: number;
  readonly sumSquares: number;
}
