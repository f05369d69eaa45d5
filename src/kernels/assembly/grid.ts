// The numbers that integer codes of calibrated techniques can stand for. All is in f64, with the
// operations in the order in which the techniques' formulas have them.
import { BF16, F16 } from './scale';

/** The scheme in use, held for a call. */
export let highestCode: f64 = 0;
let middle: f64 = 0;
let symmetric: bool = false;
let lowestZeroPoint: f64 = 0;
let smallestScale: f64 = 0;
let largestScale: f64 = 0;
/** The last bit of a scale in [1, 2). */
let lastBit: f64 = 0;

/** What `coverRange` found. */
export let coveringScale: f64 = 0;
export let coveringZeroPoint: f64 = 0;

/** Sets the scheme of the calls that follow; the smallest zero point is 0 or 1. */
export function setCodeGrid(
  bits: i32,
  isSymmetric: bool,
  scaleType: i32,
  smallestZeroPoint: i32,
): void {
  highestCode = <f64>((1 << bits) - 1);
  middle = <f64>(1 << (bits - 1));
  symmetric = isSymmetric;
  lowestZeroPoint = <f64>smallestZeroPoint;
  const precision = scaleType == F16 ? 10 : scaleType == BF16 ? 7 : 23;
  lastBit = 1.0 / <f64>(1 << precision);
  smallestScale = scaleType == F16 ? 6.103515625e-5 : <f64>f32.MIN_NORMAL_VALUE;
  largestScale =
    scaleType == F16
      ? 65504.0
      : (2.0 - lastBit) * 170141183460469231731687303715884105728.0; // 2^127
}

/** The nearest scale that can be stored, ties to even; the smallest normal number at least. */
export function storedScale(scale: f64): f64 {
  const wanted = max<f64>(scale, smallestScale);
  if (wanted >= largestScale) return largestScale;
  // The power of two at or below it, times the last bit.
  const unit = reinterpret<f64>(reinterpret<u64>(wanted) & 0x7ff0000000000000) * lastBit;
  return nearest<f64>(wanted / unit) * unit;
}

/**
 * Finds the scale and zero point whose codes cover `least … greatest`, widened to contain zero. A
 * symmetric grid is centred: its steps reach from minus the largest magnitude to plus.
 */
export function coverRange(least: f64, greatest: f64): void {
  const low = min<f64>(least, 0.0);
  const high = max<f64>(greatest, 0.0);
  if (symmetric) {
    coveringScale = storedScale((2.0 * max<f64>(-low, high)) / highestCode);
    coveringZeroPoint = middle;
    return;
  }
  const scale = storedScale((high - low) / highestCode);
  const zeroPoint = min<f64>(highestCode, max<f64>(0.0, nearest<f64>(-low / scale)));
  if (zeroPoint >= lowestZeroPoint) {
    coveringScale = scale;
    coveringZeroPoint = zeroPoint;
    return;
  }
  // The codes below the lowest zero point stand for numbers that the group does not have.
  coveringScale = storedScale(high / (highestCode - lowestZeroPoint));
  coveringZeroPoint = lowestZeroPoint;
}

/** Codes of two quotients of weight and scale: NaN stays NaN. */
@inline
export function nearestCodes(quotients: v128, zeroPoints: v128, highest: v128): v128 {
  const codes = f64x2.add(f64x2.nearest(quotients), zeroPoints);
  return f64x2.pmin(f64x2.pmax(codes, f64x2.splat(0.0)), highest);
}

/** Two f32 at an address as f64. */
@inline
export function loadTwo(at: usize): v128 {
  return f64x2.promote_low_f32x4(v128.load64_zero(at));
}

/** Four f64 as f32x4. */
@inline
export function toSingles(a: v128, b: v128): v128 {
  return v128.shuffle<u32>(
    f32x4.demote_f64x2_zero(a),
    f32x4.demote_f64x2_zero(b),
    0,
    1,
    4,
    5,
  );
}
