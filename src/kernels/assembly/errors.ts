// Errors of decoded weights, and the weights themselves, both turned from rows to columns.

/**
 * Turns `rows` rows of `columns` f32 at `weights`, and what `decoded` is off from them, into columns,
 * `[columns, rows]`, at `turnedWeights` and `turnedErrors`. `rows` is a multiple of 4.
 *
 * At `sums` are four f64. The squares are added to the first two, those of the errors first. The third
 * is the largest error; where one is larger it takes its place, and the fourth becomes the first of the
 * four rows that it is in.
 */
export function turnErrors(
  rows: i32,
  columns: i32,
  weights: usize,
  decoded: usize,
  turnedWeights: usize,
  turnedErrors: usize,
  sums: usize,
): void {
  const stride = <usize>columns << 2;
  const turnedStride = <usize>rows << 2;
  let errorSquares = f64x2.splat(0.0);
  let squares = f64x2.splat(0.0);
  let worst = load<f64>(sums, 16);
  const whole = columns & ~3;
  for (let row = 0; row < rows; row += 4) {
    let at = <usize>row * stride;
    let to = <usize>row << 2;
    let largest = f32x4.splat(0.0);
    for (let column = 0; column < whole; column += 4, at += 16, to += turnedStride << 2) {
      const w0 = v128.load(weights + at);
      const w1 = v128.load(weights + at + stride);
      const w2 = v128.load(weights + at + 2 * stride);
      const w3 = v128.load(weights + at + 3 * stride);
      const e0 = f32x4.sub(w0, v128.load(decoded + at));
      const e1 = f32x4.sub(w1, v128.load(decoded + at + stride));
      const e2 = f32x4.sub(w2, v128.load(decoded + at + 2 * stride));
      const e3 = f32x4.sub(w3, v128.load(decoded + at + 3 * stride));
      squares = f64x2.add(
        squares,
        f64x2.add(f64x2.add(squaresOf(w0), squaresOf(w1)), f64x2.add(squaresOf(w2), squaresOf(w3))),
      );
      errorSquares = f64x2.add(
        errorSquares,
        f64x2.add(f64x2.add(squaresOf(e0), squaresOf(e1)), f64x2.add(squaresOf(e2), squaresOf(e3))),
      );
      largest = f32x4.max(
        f32x4.max(largest, f32x4.max(f32x4.abs(e0), f32x4.abs(e1))),
        f32x4.max(f32x4.abs(e2), f32x4.abs(e3)),
      );
      storeTurned(turnedWeights + to, turnedStride, w0, w1, w2, w3);
      storeTurned(turnedErrors + to, turnedStride, e0, e1, e2, e3);
    }
    for (let column = whole; column < columns; column++, at += 4, to += turnedStride) {
      for (let i: usize = 0; i < 4; i++) {
        const weight = load<f32>(weights + at + i * stride);
        const error = weight - load<f32>(decoded + at + i * stride);
        store<f32>(turnedWeights + to + (i << 2), weight);
        store<f32>(turnedErrors + to + (i << 2), error);
        squares = f64x2.add(squares, f64x2(<f64>weight * <f64>weight, 0.0));
        errorSquares = f64x2.add(errorSquares, f64x2(<f64>error * <f64>error, 0.0));
        largest = f32x4.max(largest, f32x4.splat(abs(error)));
      }
    }
    const most = <f64>largestOf(largest);
    if (most > worst) {
      worst = most;
      store<f64>(sums, <f64>row, 24);
    }
  }
  store<f64>(sums, load<f64>(sums) + sumOf(errorSquares));
  store<f64>(sums, load<f64>(sums, 8) + sumOf(squares), 8);
  store<f64>(sums, worst, 16);
}

/** Σ a·b over `count` f32, in f64. */
export function dotProduct(a: usize, b: usize, count: i32): f64 {
  let sums0 = f64x2.splat(0.0);
  let sums1 = f64x2.splat(0.0);
  const end = a + (<usize>count << 2);
  const fullEnd = a + (<usize>(count & ~3) << 2);
  for (; a < fullEnd; a += 16, b += 16) {
    const left = v128.load(a);
    const right = v128.load(b);
    sums0 = f64x2.add(
      sums0,
      f64x2.mul(f64x2.promote_low_f32x4(left), f64x2.promote_low_f32x4(right)),
    );
    sums1 = f64x2.add(sums1, f64x2.mul(highTwo(left), highTwo(right)));
  }
  let sum = sumOf(f64x2.add(sums0, sums1));
  for (; a < end; a += 4, b += 4) sum += <f64>load<f32>(a) * <f64>load<f32>(b);
  return sum;
}

/** The last two of f32x4 as f64. */
@inline
function highTwo(values: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<u32>(values, values, 2, 3, 2, 3));
}

/** The squares of f32x4 in f64, added by twos. */
@inline
function squaresOf(values: v128): v128 {
  const low = f64x2.promote_low_f32x4(values);
  const high = highTwo(values);
  return f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high));
}

@inline
function largestOf(values: v128): f32 {
  return max(
    max(f32x4.extract_lane(values, 0), f32x4.extract_lane(values, 1)),
    max(f32x4.extract_lane(values, 2), f32x4.extract_lane(values, 3)),
  );
}

@inline
function sumOf(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}

/** Stores the columns of four rows one after the other. */
@inline
export function storeTurned(to: usize, stride: usize, r0: v128, r1: v128, r2: v128, r3: v128): void {
  const a = v128.shuffle<u32>(r0, r1, 0, 4, 1, 5);
  const b = v128.shuffle<u32>(r2, r3, 0, 4, 1, 5);
  const c = v128.shuffle<u32>(r0, r1, 2, 6, 3, 7);
  const d = v128.shuffle<u32>(r2, r3, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<u64>(a, b, 0, 2));
  v128.store(to + stride, v128.shuffle<u64>(a, b, 1, 3));
  v128.store(to + 2 * stride, v128.shuffle<u64>(c, d, 0, 2));
  v128.store(to + 3 * stride, v128.shuffle<u64>(c, d, 1, 3));
}
