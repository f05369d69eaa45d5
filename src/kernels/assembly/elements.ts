// The elements of a source weight. The type argument T of every function names how they are stored:
// f32 is F32, i16 is F16, u16 is BF16 (a signed and an unsigned 16-bit type tell the two apart at
// compile time).

/** Bits of a float's magnitude. */
@inline
export function magnitudeMask<T>(): u32 {
  return sizeof<T>() == 4 ? 0x7fffffff : 0x7fff;
}

/** The bits of infinity; every NaN's magnitude is larger, every finite number's is smaller. */
@inline
export function infinityBits<T>(): u32 {
  if (sizeof<T>() == 4) return 0x7f800000;
  return isSigned<T>() ? 0x7c00 : 0x7f80;
}

// Moving a half-precision exponent and mantissa into a single's fields leaves the exponent 112 too
// small; the multiplication mends that, and subnormal halves along with it. It is exact.
const HALF_REBIAS: f32 = 5192296858534827628530496329220096.0; // 2^112

/** The number that one element's bits stand for. */
@inline
export function toFloat<T>(bits: u32): f32 {
  if (sizeof<T>() == 4) return reinterpret<f32>(bits);
  if (isSigned<T>()) {
    const magnitude = reinterpret<f32>((bits & 0x7fff) << 13) * HALF_REBIAS;
    return bits & 0x8000 ? -magnitude : magnitude;
  }
  return reinterpret<f32>(bits << 16);
}

@inline
export function loadBits<T>(at: usize): u32 {
  return sizeof<T>() == 4 ? load<u32>(at) : <u32>load<u16>(at);
}

/** Four elements as f32x4. */
@inline
export function loadFour<T>(at: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(at);
  return isSigned<T>() ? fromHalves(v128.load_ext<i16>(at)) : i32x4.shl(v128.load_ext<u16>(at), 16);
}

/** The four elements after those, by an offset within the load instruction. */
@inline
export function loadNextFour<T>(at: usize): v128 {
  if (sizeof<T>() == 4) return v128.load(at, 16);
  return isSigned<T>()
    ? fromHalves(v128.load_ext<i16>(at, 8))
    : i32x4.shl(v128.load_ext<u16>(at, 8), 16);
}

/** Sign extension has left copies of the sign above the magnitude; the mask keeps the topmost. */
@inline
function fromHalves(extended: v128): v128 {
  const fields = v128.and(i32x4.shl(extended, 13), i32x4.splat(0x8fffe000));
  return f32x4.mul(fields, f32x4.splat(HALF_REBIAS));
}

/**
 * The largest magnitude among `count` elements, as bits. Floats of one sign are ordered as their
 * bits are, so integer maxima serve, eight 16-bit elements at a time, and NaN and infinity come
 * out on top.
 */
export function largestMagnitude<T>(at: usize, count: i32): u32 {
  const lanes = 16 / <i32>sizeof<T>();
  const end = at + (<usize>count << alignof<T>());
  const fullEnd = at + (<usize>(count - (count % (lanes * 4))) << alignof<T>());
  const mask = sizeof<T>() == 4 ? i32x4.splat(0x7fffffff) : i16x8.splat(0x7fff);
  let largest0 = i32x4.splat(0);
  let largest1 = i32x4.splat(0);
  while (at < fullEnd) {
    largest0 = largerMagnitude<T>(largest0, v128.and(v128.load(at), mask));
    largest1 = largerMagnitude<T>(largest1, v128.and(v128.load(at, 16), mask));
    largest0 = largerMagnitude<T>(largest0, v128.and(v128.load(at, 32), mask));
    largest1 = largerMagnitude<T>(largest1, v128.and(v128.load(at, 48), mask));
    at += 64;
  }
  let largest = greatestLane<T>(largerMagnitude<T>(largest0, largest1));
  for (; at < end; at += sizeof<T>()) largest = max(largest, loadBits<T>(at) & magnitudeMask<T>());
  return largest;
}

@inline
function largerMagnitude<T>(a: v128, b: v128): v128 {
  return sizeof<T>() == 4 ? i32x4.max_u(a, b) : i16x8.max_u(a, b);
}

/** The greatest lane, read as unsigned. */
@inline
function greatestLane<T>(lanes: v128): u32 {
  let best = largerMagnitude<T>(lanes, v128.shuffle<u32>(lanes, lanes, 2, 3, 0, 1));
  best = largerMagnitude<T>(best, v128.shuffle<u32>(best, best, 1, 0, 3, 2));
  if (sizeof<T>() == 4) return <u32>i32x4.extract_lane(best, 0);
  return max(<u32>i16x8.extract_lane_u(best, 0), <u32>i16x8.extract_lane_u(best, 1));
}

/** Results of `findRange`: the least element or -0, the greatest or +0, as bits. */
export let leastBits: u32 = 0;
export let greatestBits: u32 = 0;

/**
 * The range of `count` elements together with zero. As signed integers the positive floats are
 * the largest, in their order; as unsigned ones the negative floats are, the least on top.
 */
export function findRange<T>(at: usize, count: i32): void {
  const lanes = 16 / <i32>sizeof<T>();
  const end = at + (<usize>count << alignof<T>());
  const fullEnd = at + (<usize>(count - (count % lanes)) << alignof<T>());
  let greatest = i32x4.splat(0);
  let least = sizeof<T>() == 4 ? i32x4.splat(0x80000000) : i16x8.splat(<i16>0x8000);
  for (; at < fullEnd; at += 16) {
    const elements = v128.load(at);
    greatest = sizeof<T>() == 4 ? i32x4.max_s(greatest, elements) : i16x8.max_s(greatest, elements);
    least = largerMagnitude<T>(least, elements);
  }
  // No lane of `greatest` is below zero, so that here too the order is that of unsigned numbers.
  let high = greatestLane<T>(greatest);
  let low = greatestLane<T>(least);
  for (; at < end; at += sizeof<T>()) {
    const bits = loadBits<T>(at);
    low = max(low, bits);
    if (bits <= magnitudeMask<T>()) high = max(high, bits);
  }
  leastBits = low;
  greatestBits = high;
}

/** The index of the first NaN or infinity among `count` elements; -1 if all are finite. */
export function findNonFinite<T>(at: usize, count: i32): i32 {
  const window = 1024;
  for (let first = 0; first < count; first += window) {
    const start = at + (<usize>first << alignof<T>());
    const length = min(window, count - first);
    if (largestMagnitude<T>(start, length) < infinityBits<T>()) continue;
    for (let i = 0; i < length; i++) {
      const bits = loadBits<T>(start + (<usize>i << alignof<T>()));
      if ((bits & magnitudeMask<T>()) >= infinityBits<T>()) return first + i;
    }
  }
  return -1;
}
