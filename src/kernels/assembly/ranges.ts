// Scales and zero points of groups: of the whole range, or of the share of it that makes the
// weighted squared error least.
import {
  coverRange,
  coveringScale,
  coveringZeroPoint,
  highestCode,
  nearestCodes,
  storedScale,
} from './grid';

/** Elements between looks at whether an error is too large already. */
const STRETCH: i32 = 64;

/** The best of what was tried for the group at hand. */
let bestScale: f64 = 0;
let bestZeroPoint: f64 = 0;
let bestError: f64 = 0;

/**
 * Chooses for each group of `rows` f32 rows at `source`. Without shares the whole range is covered;
 * otherwise each share (f64) of it is tried with the squared errors weighted by `importance` (f64, of
 * the columns), and then, at most `polishes` times, the scale that fits the codes best.
 *
 * `room` holds a group's elements in f64, as does `importance` all columns', each with 3 to spare.
 * `scales` gets f32, `zeroPoints` bytes, `[rows, groups]`.
 */
export function chooseRanges(
  source: usize,
  rows: i32,
  columns: i32,
  groupSize: i32,
  importance: usize,
  shares: usize,
  shareCount: i32,
  polishes: i32,
  room: usize,
  scales: usize,
  zeroPoints: usize,
): void {
  for (let row = 0; row < rows; row++) {
    for (let first = 0; first < columns; first += groupSize) {
      const count = min(groupSize, columns - first);
      chooseRange(
        source + (<usize>first << 2),
        count,
        importance + (<usize>first << 3),
        shares,
        shareCount,
        polishes,
        room,
      );
      store<f32>(scales, <f32>bestScale);
      store<u8>(zeroPoints, <u8>bestZeroPoint);
      scales += 4;
      zeroPoints += 1;
    }
    source += <usize>columns << 2;
  }
}

function chooseRange(
  source: usize,
  count: i32,
  importance: usize,
  shares: usize,
  shareCount: i32,
  polishes: i32,
  room: usize,
): void {
  let least: f32 = 0;
  let greatest: f32 = 0;
  const end = source + (<usize>count << 2);
  const fullEnd = source + (<usize>(count & ~3) << 2);
  let low = f32x4.splat(0.0);
  let high = f32x4.splat(0.0);
  let at = source;
  for (; at < fullEnd; at += 16) {
    const weights = v128.load(at);
    low = f32x4.pmin(low, weights);
    high = f32x4.pmax(high, weights);
  }
  for (; at < end; at += 4) {
    least = min<f32>(least, load<f32>(at));
    greatest = max<f32>(greatest, load<f32>(at));
  }
  low = f32x4.pmin(low, v128.shuffle<u32>(low, low, 2, 3, 0, 1));
  low = f32x4.pmin(low, v128.shuffle<u32>(low, low, 1, 0, 3, 2));
  high = f32x4.pmax(high, v128.shuffle<u32>(high, high, 2, 3, 0, 1));
  high = f32x4.pmax(high, v128.shuffle<u32>(high, high, 1, 0, 3, 2));
  least = min<f32>(least, f32x4.extract_lane(low, 0));
  greatest = max<f32>(greatest, f32x4.extract_lane(high, 0));

  coverRange(<f64>least, <f64>greatest);
  bestScale = coveringScale;
  bestZeroPoint = coveringZeroPoint;
  if (shareCount == 0) return;
  // Zeros fill up the last four: they are rounded without error, so their importance is no matter.
  const padded = (count + 3) & ~3;
  for (let i = 0; i < padded; i += 2) v128.store(room + (<usize>i << 3), f64x2.splat(0.0));
  for (let i = 0; i < count; i++) {
    store<f64>(room + (<usize>i << 3), <f64>load<f32>(source + (<usize>i << 2)));
  }
  bestError = Infinity;
  for (let i = 0; i < shareCount; i++) {
    const share = load<f64>(shares + (<usize>i << 3));
    coverRange(<f64>least * share, <f64>greatest * share);
    consider(room, importance, padded, coveringScale, coveringZeroPoint);
  }
  for (let polish = 0; polish < polishes && bestError > 0; polish++) {
    const scale = bestScaleForCodes(room, importance, padded);
    if (scale == bestScale || !consider(room, importance, padded, scale, bestZeroPoint)) return;
  }
}

/** Takes a scale if its error is the least so far. */
function consider(
  weights: usize,
  importance: usize,
  count: i32,
  scale: f64,
  zeroPoint: f64,
): bool {
  const error = weightedError(weights, importance, count, scale, zeroPoint);
  if (!(error < bestError)) return false;
  bestError = error;
  bestScale = scale;
  bestZeroPoint = zeroPoint;
  return true;
}

@inline
function weightedSquares(
  weights: v128,
  importance: v128,
  inverses: v128,
  scales: v128,
  zeros: v128,
  highest: v128,
): v128 {
  // Where a quotient is so near the middle of two codes that the inverse decides otherwise than the
  // division, both err alike.
  const codes = nearestCodes(f64x2.mul(weights, inverses), zeros, highest);
  const off = f64x2.sub(weights, f64x2.mul(f64x2.sub(codes, zeros), scales));
  return f64x2.mul(f64x2.mul(importance, off), off);
}

/** Σ importance · (w − ŵ)², or any larger number once it is above the least so far. */
function weightedError(
  weights: usize,
  importance: usize,
  count: i32,
  scale: f64,
  zeroPoint: f64,
): f64 {
  const inverses = f64x2.splat(1.0 / scale);
  const scales = f64x2.splat(scale);
  const zeros = f64x2.splat(zeroPoint);
  const highest = f64x2.splat(highestCode);
  let sums0 = f64x2.splat(0.0);
  let sums1 = f64x2.splat(0.0);
  let sum: f64 = 0;
  for (let done = 0; done < count; done += STRETCH) {
    const end = weights + (<usize>min(STRETCH, count - done) << 3);
    for (; weights < end; weights += 32, importance += 32) {
      const squares0 = weightedSquares(
        v128.load(weights),
        v128.load(importance),
        inverses,
        scales,
        zeros,
        highest,
      );
      const squares1 = weightedSquares(
        v128.load(weights, 16),
        v128.load(importance, 16),
        inverses,
        scales,
        zeros,
        highest,
      );
      sums0 = f64x2.add(sums0, squares0);
      sums1 = f64x2.add(sums1, squares1);
    }
    sum = sumOf(f64x2.add(sums0, sums1));
    if (sum > bestError) return sum;
  }
  return sum;
}

/** The scale that fits the codes which the best scale gives, by least squares. */
function bestScaleForCodes(weights: usize, importance: usize, count: i32): f64 {
  const scales = f64x2.splat(bestScale);
  const zeros = f64x2.splat(bestZeroPoint);
  const highest = f64x2.splat(highestCode);
  let products = f64x2.splat(0.0);
  let squares = f64x2.splat(0.0);
  const end = weights + (<usize>count << 3);
  for (; weights < end; weights += 16, importance += 16) {
    const values = v128.load(weights);
    const steps = f64x2.sub(nearestCodes(f64x2.div(values, scales), zeros, highest), zeros);
    const weighted = f64x2.mul(v128.load(importance), steps);
    products = f64x2.add(products, f64x2.mul(weighted, values));
    squares = f64x2.add(squares, f64x2.mul(weighted, steps));
  }
  const product = sumOf(products);
  const square = sumOf(squares);
  return product > 0 && square > 0 ? storedScale(product / square) : bestScale;
}

@inline
function sumOf(pair: v128): f64 {
  return f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
}
