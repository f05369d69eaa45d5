/** What a decoded weight adds up to: the same numbers in the same order give the same sums. */
export interface WeightDigest {
  readonly sum: number;
  readonly squares: number;
}

/** Places are counted up to here and then again: a prime, which divides no width of a layer. */
const PLACES = 251;

/** Sums in f64 over the elements, in the same order for as many of them. */
export function digestWeight(values: Float32Array): WeightDigest {
  let sum = 0;
  let squares = 0;
  for (let first = 0; first < values.length; first += PLACES) {
    const count = Math.min(PLACES, values.length - first);
    // Sums of their own, so that none has to wait for another.
    let [sum0, sum1, squares0, squares1] = [0, 0, 0, 0];
    // The place counts, so that numbers in another order do not pass.
    for (let place = 1; place < count; place += 2) {
      const value = values[first + place - 1] ?? 0;
      const next = values[first + place] ?? 0;
      sum0 += value * place;
      sum1 += next * (place + 1);
      squares0 += value * value;
      squares1 += next * next;
    }
    if (count % 2 === 1) {
      const last = values[first + count - 1] ?? 0;
      sum0 += last * count;
      squares0 += last * last;
    }
    sum += sum0 + sum1;
    squares += squares0 + squares1;
  }
  return { sum, squares };
}
