/** What calibration learnt about the input of a family, over all calibration tokens. */
export interface InputStatistics {
  /** Input channels. */
  readonly columns: number;
  readonly tokens: number;
  /** `XᵀX`, a sum over tokens, which the technique may have wanted even: `[columns, columns]`,
   * symmetric, both halves filled. */
  readonly gram: Float32Array;
  /**
   * `XᵀX′`, where `X` are the inputs as they are in the quantized model so far and `X′` those of the
   * original model for the same tokens, the scales of this family applied to both. Where it is given,
   * techniques that compensate errors aim at the original output `WX′` rather than at `WX`, so that a
   * layer makes up for the errors of those before it.
   */
  readonly original?: Float32Array;
  /** Mean of |x| of each channel; empty where the technique does not look at magnitudes. */
  readonly meanMagnitude: Float32Array;
  /** Largest |x| of each channel; empty where the technique does not look at magnitudes. */
  readonly largestMagnitude: Float32Array;
}

/** Largest |x| of the whole input. */
export function largestInput({ largestMagnitude }: InputStatistics): number {
  return largestMagnitude.reduce((largest, magnitude) => Math.max(largest, magnitude), 0);
}

/** The Gram matrix's diagonal: how much errors in each channel matter by themselves. */
export function diagonalOf({ columns, gram }: InputStatistics): Float32Array {
  return Float32Array.from({ length: columns }, (_, i) => gram[i * columns + i] ?? 0);
}
