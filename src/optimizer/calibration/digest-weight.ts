/** What a decoded weight adds up to: the same numbers in the same order give the same sums. */
export interface WeightDigest {
  readonly sum: number;
  readonly squares: number;
}

/** Places are counted up to here and then again: a prime, which divides no width of a layer. */
const PLACES = 251;

/** Sums in f64 over the elements in their order. */
export function digestWeight(values: Float32Array): WeightDigest {
  let sum = 0;
  let squares = 0;
  // The place counts, so that numbers in another order do not pass.
  let place = 0;
  for (let at = 0; at < values.length; at += 1) {
    const value = values[at] ?? 0;
    place = place < PLACES ? place + 1 : 1;
    sum += value * place;
    squares += value * value;
  }
  return { sum, squares };
}
