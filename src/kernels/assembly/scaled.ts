// Errors of weights that are scaled by column, rounded to nearest, and scaled back. The weight lies
// turned, `[columns, rows]`, so that neighbours in a vector are rows with scales of their own.
import {
  coverRange,
  coveringScale,
  coveringZeroPoint,
  highestCode,
  loadTwo,
  nearestCodes,
  toSingles,
} from './grid';

/** Rows that are worked on together. */
const LANES: i32 = 8;
/** A group's ranges, then its scales, of so many rows; and its zero points. */
const LOWS: usize = memory.data(64, 16);
const HIGHS: usize = memory.data(64, 16);

/**
 * Writes `w − Q(w·s)/s` for factors s, and their inverses, both f64, of the columns. The ranges of
 * groups are taken whole.
 *
 * `source` and `errors` are f32, `[columns, rows]`; `rows` is a multiple of 8.
 */
export function roundScaled(
  source: usize,
  columns: i32,
  rows: i32,
  groupSize: i32,
  factors: usize,
  inverses: usize,
  errors: usize,
): void {
  const stride = <usize>rows << 2;
  for (let row = 0; row < rows; row += LANES) {
    const at = source + (<usize>row << 2);
    const to = errors + (<usize>row << 2);
    for (let first = 0; first < columns; first += groupSize) {
      const end = min(columns, first + groupSize);
      findRanges(at, first, end, stride, factors);
      for (let lane: usize = 0; lane < 64; lane += 8) {
        coverRange(load<f64>(LOWS + lane), load<f64>(HIGHS + lane));
        store<f64>(LOWS + lane, coveringScale);
        store<f64>(HIGHS + lane, coveringZeroPoint);
      }
      roundFour(at, first, end, stride, factors, inverses, to, 0);
      roundFour(at + 16, first, end, stride, factors, inverses, to + 16, 32);
    }
  }
}

/** The least and the greatest scaled weight of a group in each of the rows, and zero. */
@inline
function findRanges(source: usize, first: i32, end: i32, stride: usize, factors: usize): void {
  let low0 = f64x2.splat(0.0);
  let low1 = f64x2.splat(0.0);
  let low2 = f64x2.splat(0.0);
  let low3 = f64x2.splat(0.0);
  let high0 = f64x2.splat(0.0);
  let high1 = f64x2.splat(0.0);
  let high2 = f64x2.splat(0.0);
  let high3 = f64x2.splat(0.0);
  let at = source + <usize>first * stride;
  for (let column = first; column < end; column++, at += stride) {
    const factor = v128.load64_splat(factors + (<usize>column << 3));
    const scaled0 = f64x2.mul(loadTwo(at), factor);
    low0 = f64x2.pmin(low0, scaled0);
    high0 = f64x2.pmax(high0, scaled0);
    const scaled1 = f64x2.mul(loadTwo(at + 8), factor);
    low1 = f64x2.pmin(low1, scaled1);
    high1 = f64x2.pmax(high1, scaled1);
    const scaled2 = f64x2.mul(loadTwo(at + 16), factor);
    low2 = f64x2.pmin(low2, scaled2);
    high2 = f64x2.pmax(high2, scaled2);
    const scaled3 = f64x2.mul(loadTwo(at + 24), factor);
    low3 = f64x2.pmin(low3, scaled3);
    high3 = f64x2.pmax(high3, scaled3);
  }
  v128.store(LOWS, low0);
  v128.store(LOWS, low1, 16);
  v128.store(LOWS, low2, 32);
  v128.store(LOWS, low3, 48);
  v128.store(HIGHS, high0);
  v128.store(HIGHS, high1, 16);
  v128.store(HIGHS, high2, 32);
  v128.store(HIGHS, high3, 48);
}

/** Rounds a group of four rows, whose scales and zero points lie `lanes` bytes on. */
@inline
function roundFour(
  source: usize,
  first: i32,
  end: i32,
  stride: usize,
  factors: usize,
  inverses: usize,
  errors: usize,
  lanes: usize,
): void {
  const scales0 = v128.load(LOWS + lanes);
  const scales1 = v128.load(LOWS + lanes, 16);
  const zeros0 = v128.load(HIGHS + lanes);
  const zeros1 = v128.load(HIGHS + lanes, 16);
  const highest = f64x2.splat(highestCode);
  let at = source + <usize>first * stride;
  let to = errors + <usize>first * stride;
  for (let column = first; column < end; column++, at += stride, to += stride) {
    const factor = v128.load64_splat(factors + (<usize>column << 3));
    const inverse = v128.load64_splat(inverses + (<usize>column << 3));
    const weights0 = loadTwo(at);
    const weights1 = loadTwo(at + 8);
    const codes0 = nearestCodes(f64x2.div(f64x2.mul(weights0, factor), scales0), zeros0, highest);
    const codes1 = nearestCodes(f64x2.div(f64x2.mul(weights1, factor), scales1), zeros1, highest);
    const decoded0 = f64x2.mul(f64x2.mul(f64x2.sub(codes0, zeros0), scales0), inverse);
    const decoded1 = f64x2.mul(f64x2.mul(f64x2.sub(codes1, zeros1), scales1), inverse);
    v128.store(to, toSingles(f64x2.sub(weights0, decoded0), f64x2.sub(weights1, decoded1)));
  }
}
