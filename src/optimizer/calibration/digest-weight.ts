/** What a decoded weight adds up to: the same numbers in the same order give the same sums. */
export interface WeightDigest {
  readonly sum: number;
  readonly squares: number;
}

export function digestWeight(values: Float32Array): WeightDigest {
  let sum = 0;
  let squares = 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    // The place counts, so that numbers in another order do not pass.
    sum += value * (1 + (at % 251));
    squares += value * value;
  }
  return { sum, squares };
}
