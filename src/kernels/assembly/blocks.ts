// Codes in blocks of columns that share a scale, as ONNX Runtime multiplies with them.
import { loadBits, loadFour, loadNextFour, toFloat } from './elements';
import { packNibbles } from './pack';

/** What `encodeBlockRows` returns when all is well. */
const DONE: i32 = -1;

/** Ways to put a block's largest weight of four bits on the grid. */
const REACHES: i32 = 4;

/**
 * Where a way puts that weight, in codes from zero. The widest step uses the whole range; narrower
 * ones clip that weight and serve the others.
 */
@inline
function reachOf(way: i32): f32 {
  if (way == 0) return -8.0;
  if (way == 1) return -7.2;
  return way == 2 ? -8.8 : 7.0;
}

/** A scale to divide by: weights too small for one are as good as zeros, and those have any. */
@inline
function usable(scale: f32): f32 {
  return abs<f32>(scale) < f32.MIN_NORMAL_VALUE ? 1.0 : scale;
}

/** A row as f32, filled up with zeros to `padded` columns. */
function widenRow<T>(source: usize, columns: i32, padded: i32, target: usize): void {
  const whole = columns & ~7;
  const end = target + (<usize>whole << 2);
  for (; target < end; target += 32, source += 8 << alignof<T>()) {
    v128.store(target, loadFour<T>(source));
    v128.store(target, loadNextFour<T>(source), 16);
  }
  for (let column = whole; column < columns; column++, target += 4, source += sizeof<T>()) {
    store<f32>(target, toFloat<T>(loadBits<T>(source)));
  }
  memory.fill(target, 0, <usize>(padded - columns) << 2);
}

/** Results of `findExtremes`. */
let least: f32 = 0.0;
let greatest: f32 = 0.0;

/** The least and the greatest of some numbers and zero; false if one of them is not finite. */
@inline
function findExtremes(at: usize, count: i32): bool {
  let low = f32x4.splat(0.0);
  let high = f32x4.splat(0.0);
  // Zero times a number is zero unless the number is infinite or none at all.
  let none = f32x4.splat(0.0);
  for (const end = at + (<usize>count << 2); at < end; at += 16) {
    const values = v128.load(at);
    low = f32x4.pmin(low, values);
    high = f32x4.pmax(high, values);
    none = f32x4.add(none, f32x4.mul(values, f32x4.splat(0.0)));
  }
  low = f32x4.pmin(low, v128.shuffle<u32>(low, low, 2, 3, 0, 1));
  high = f32x4.pmax(high, v128.shuffle<u32>(high, high, 2, 3, 0, 1));
  least = min(f32x4.extract_lane(low, 0), f32x4.extract_lane(low, 1));
  greatest = max(f32x4.extract_lane(high, 0), f32x4.extract_lane(high, 1));
  return !v128.any_true(f32x4.ne(none, none));
}

/** What rounding to four bits around zero costs. */
@inline
function squaredError(at: usize, count: i32, scale: f32): f64 {
  const inverse = f32x4.splat(1.0 / scale);
  const low = f32x4.splat(-8.0);
  const high = f32x4.splat(7.0);
  let sum0 = f32x4.splat(0.0);
  let sum1 = f32x4.splat(0.0);
  for (const end = at + (<usize>count << 2); at < end; at += 32) {
    const t0 = f32x4.mul(v128.load(at), inverse);
    const e0 = f32x4.sub(t0, f32x4.pmin(f32x4.pmax(f32x4.nearest(t0), low), high));
    sum0 = f32x4.add(sum0, f32x4.mul(e0, e0));
    const t1 = f32x4.mul(v128.load(at, 16), inverse);
    const e1 = f32x4.sub(t1, f32x4.pmin(f32x4.pmax(f32x4.nearest(t1), low), high));
    sum1 = f32x4.add(sum1, f32x4.mul(e1, e1));
  }
  const sum = f32x4.add(sum0, sum1);
  const steps =
    <f64>f32x4.extract_lane(sum, 0) +
    <f64>f32x4.extract_lane(sum, 1) +
    <f64>f32x4.extract_lane(sum, 2) +
    <f64>f32x4.extract_lane(sum, 3);
  return steps * <f64>scale * <f64>scale;
}

/** The best scale for a grid around zero. */
@inline
function symmetricScale(at: usize, count: i32, bits: i32): f32 {
  const extreme = -least > greatest ? least : greatest;
  if (bits == 8) return usable(extreme / <f32>-128.0);
  let best: f32 = 1.0;
  let lowest: f64 = Infinity;
  for (let way = 0; way < REACHES; way++) {
    const scale = usable(extreme / reachOf(way));
    const error = squaredError(at, count, scale);
    if (error < lowest) {
      lowest = error;
      best = scale;
    }
  }
  return best;
}

/** Encodes `count` numbers, a multiple of 16, one code a byte, counted from `zero`. */
@inline
function encodeBlock(
  at: usize,
  count: i32,
  scale: f32,
  zero: f32,
  highest: f32,
  codes: usize,
): void {
  const inverse = f32x4.splat(1.0 / scale);
  const offset = f32x4.splat(zero);
  const top = f32x4.splat(highest);
  for (const end = codes + <usize>count; codes < end; codes += 16, at += 64) {
    const c0 = codesOf(v128.load(at), inverse, offset, top);
    const c1 = codesOf(v128.load(at, 16), inverse, offset, top);
    const c2 = codesOf(v128.load(at, 32), inverse, offset, top);
    const c3 = codesOf(v128.load(at, 48), inverse, offset, top);
    const halves = i16x8.narrow_i32x4_s(c0, c1);
    v128.store(codes, i8x16.narrow_i16x8_u(halves, i16x8.narrow_i32x4_s(c2, c3)));
  }
}

@inline
function codesOf(values: v128, inverse: v128, offset: v128, top: v128): v128 {
  const steps = f32x4.add(f32x4.nearest(f32x4.mul(values, inverse)), offset);
  return i32x4.trunc_sat_f32x4_s(f32x4.pmin(f32x4.pmax(steps, f32x4.splat(0.0)), top));
}

/** Stores the zero point of a row's block; two of four bits share a byte, the first in its lower half. */
@inline
function storeZeroPoint(zeroPoints: usize, block: i32, bits: i32, zero: u32): void {
  if (bits == 8) {
    store<u8>(zeroPoints + block, zero);
    return;
  }
  const at = zeroPoints + (block >> 1);
  store<u8>(at, (block & 1) == 0 ? zero : <u32>load<u8>(at) | (zero << 4));
}

/**
 * Encodes `rows` rows of `columns` elements in blocks of `blockSize` columns, a power of two from 16
 * on. Scales are f32; codes and zero points of 4 bits lie two to a byte. What is stored of a row
 * begins a stride after the row before it. With `zeroPoints` of 0 grids lie around zero.
 *
 * `floats` has room for a row of whole blocks as f32, `bytes` for one of bytes and 32 more. Returns
 * -1, or the number of the first row with an element that is not finite.
 */
export function encodeBlockRows<T>(
  bits: i32,
  source: usize,
  rows: i32,
  columns: i32,
  blockSize: i32,
  codes: usize,
  codeStride: i32,
  scales: usize,
  scaleStride: i32,
  zeroPoints: usize,
  zeroPointStride: i32,
  floats: usize,
  bytes: usize,
): i32 {
  const blocks = (columns + blockSize - 1) / blockSize;
  const padded = blocks * blockSize;
  const highest = <f32>((1 << bits) - 1);
  for (let row = 0; row < rows; row++) {
    widenRow<T>(source, columns, padded, floats);
    for (let block = 0; block < blocks; block++) {
      const first = block * blockSize;
      const at = floats + (<usize>first << 2);
      if (!findExtremes(at, blockSize)) return row;
      let scale: f32;
      let zero: f32 = <f32>(1 << (bits - 1));
      if (zeroPoints == 0) {
        scale = symmetricScale(at, blockSize, bits);
      } else {
        // In f64, which holds the distance of any two weights.
        scale = usable(<f32>((<f64>greatest - <f64>least) / <f64>highest));
        zero = min(max(nearest<f32>(-least / scale), <f32>0.0), highest);
        storeZeroPoint(zeroPoints, block, bits, <u32>zero);
      }
      store<f32>(scales + (<usize>block << 2), scale);
      encodeBlock(at, blockSize, scale, zero, highest, bytes + first);
    }
    if (bits == 4) packNibbles(bytes, padded >> 1, bytes);
    memory.copy(codes, bytes, <usize>(padded * bits) >> 3);
    source += <usize>columns << alignof<T>();
    codes += codeStride;
    scales += scaleStride;
    zeroPoints += zeroPointStride;
  }
  return DONE;
}
