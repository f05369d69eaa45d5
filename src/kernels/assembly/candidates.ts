// Candidates of a group's scale and zero point, of many rows at a time. Weights lie turned,
// `[count, rows]` for the group's `count` columns, so that neighbours in a vector are rows with
// candidates of their own; scales and zero points are f32, `[candidates, rows]`. `rows` is a multiple
// of 4.
import { coverRange, coveringScale, coveringZeroPoint, highestCode } from './grid';

/** Rows that are worked on together, so that what is read again for every column stays in the cache. */
const ROWS: i32 = 64;

/**
 * Scales and zero points of ranges that are shares of the rows' own: `shares` are pairs of f64, of the
 * least and of the greatest weight.
 */
export function coverShares(
  source: usize,
  count: i32,
  rows: i32,
  shares: usize,
  shareCount: i32,
  scales: usize,
  zeroPoints: usize,
): void {
  const stride = <usize>rows << 2;
  for (let row: usize = 0; row < stride; row += 4) {
    let least: f32 = 0;
    let greatest: f32 = 0;
    let at = source + row;
    for (let i = 0; i < count; i++, at += stride) {
      const weight = load<f32>(at);
      least = min<f32>(least, weight);
      greatest = max<f32>(greatest, weight);
    }
    let to = row;
    for (let i = 0; i < shareCount; i++, to += stride) {
      const pair = shares + (<usize>i << 4);
      coverRange(<f64>least * load<f64>(pair), <f64>greatest * load<f64>(pair, 8));
      store<f32>(scales + to, <f32>coveringScale);
      store<f32>(zeroPoints + to, <f32>coveringZeroPoint);
    }
  }
}

/** What weights are off when they are rounded to nearest. */
@inline
function errorsOf(weights: v128, scale: usize, zeroPoint: usize, highest: v128): v128 {
  const scales = v128.load(scale);
  const zeros = v128.load(zeroPoint);
  const nearest = f32x4.add(f32x4.nearest(f32x4.div(weights, scales)), zeros);
  const codes = f32x4.pmin(f32x4.pmax(nearest, f32x4.splat(0.0)), highest);
  return f32x4.sub(weights, f32x4.mul(f32x4.sub(codes, zeros), scales));
}

/** Writes what rounding to nearest does to each weight by each candidate, `[count, candidates, rows]`. */
export function candidateErrors(
  source: usize,
  count: i32,
  rows: i32,
  candidates: i32,
  scales: usize,
  zeroPoints: usize,
  errors: usize,
): void {
  const highest = f32x4.splat(<f32>highestCode);
  const stride = <usize>rows << 2;
  for (let row = 0; row < rows; row += ROWS) {
    const first = <usize>row << 2;
    const end = <usize>min(rows, row + ROWS) << 2;
    let from = source;
    let to = errors;
    for (let i = 0; i < count; i++, from += stride) {
      let table: usize = 0;
      for (let c = 0; c < candidates; c++, table += stride, to += stride) {
        for (let at = first; at < end; at += 16) {
          const weights = v128.load(from + at);
          const errors = errorsOf(weights, scales + table + at, zeroPoints + table + at, highest);
          v128.store(to + at, errors);
        }
      }
    }
  }
}

/**
 * Writes the sum over a group's columns of what {@link candidateErrors} gives times `others`, for each
 * candidate and row. `others` are the same for all candidates, `[count, rows]`, or `[count, candidates,
 * rows]`.
 */
export function candidateProducts(
  source: usize,
  count: i32,
  rows: i32,
  candidates: i32,
  scales: usize,
  zeroPoints: usize,
  others: usize,
  same: bool,
  products: usize,
): void {
  const highest = f32x4.splat(<f32>highestCode);
  const stride = <usize>rows << 2;
  memory.fill(products, 0, stride * <usize>candidates);
  const step: usize = same ? 0 : stride;
  for (let row = 0; row < rows; row += ROWS) {
    const first = <usize>row << 2;
    const end = <usize>min(rows, row + ROWS) << 2;
    let from = source;
    let other = others;
    for (let i = 0; i < count; i++, from += stride) {
      let table: usize = 0;
      for (let c = 0; c < candidates; c++, table += stride, other += step) {
        for (let at = first; at < end; at += 16) {
          const weights = v128.load(from + at);
          const errors = errorsOf(weights, scales + table + at, zeroPoints + table + at, highest);
          const sum = products + table + at;
          const product = f32x4.mul(errors, v128.load(other + at));
          v128.store(sum, f32x4.add(v128.load(sum), product));
        }
      }
      if (same) other += stride;
    }
  }
}
