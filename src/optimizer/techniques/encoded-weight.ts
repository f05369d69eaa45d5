import type { FloatType } from '../../kernels/index.js';

/**
 * Integer codes of a weight `[rows, columns]`:
 * `w[r, c] = (codes[r, c] − zeroPoints[r, g]) · scales[r, g]` with `g` the group of column `c`.
 */
export interface EncodedIntegers {
  readonly kind: 'integers';
  readonly bits: number;
  readonly rows: number;
  readonly columns: number;
  /** Columns that share a scale; `columns` for one scale per row. The last group is shorter where it
   * does not divide the columns. */
  readonly groupSize: number;
  /** Whether every zero point is `2^(bits − 1)`. */
  readonly symmetric: boolean;
  /** Unsigned, one a byte, row after row, columns in their own order. */
  readonly codes: Uint8Array;
  /** `[rows, groups]`, each a number that `scaleType` holds exactly. */
  readonly scales: Float32Array;
  readonly scaleType: FloatType;
  /** `[rows, groups]`, unsigned. */
  readonly zeroPoints: Uint8Array;
  /** The group of each column where groups are not consecutive columns. */
  readonly groupOf?: Uint32Array;
}

/** FP8 E4M3FN codes: `w[r, c] = decode(codes[r, c]) · scales[r]`, or `· scales[0]` if there is but one. */
export interface EncodedFloat8 {
  readonly kind: 'float8';
  readonly rows: number;
  readonly columns: number;
  readonly codes: Uint8Array;
  /** One, or one for each row; each a number that `scaleType` holds exactly. */
  readonly scales: Float32Array;
  readonly scaleType: FloatType;
  /** Static scale of the layer's input: `x ≈ decode(code) · inputScale`. Dynamic if undefined. */
  readonly inputScale?: number;
}

export type EncodedWeight = EncodedIntegers | EncodedFloat8;
