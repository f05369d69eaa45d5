// Integer codes: round(weight/scale + zero point) in [lowest, lowest + 2^bits), ties to even.

import { loadFour, loadNextFour } from './elements';
import { addBlock } from './error';

/** 1.5 * 2^23: an f32 of this size has a last bit worth 1, so adding it rounds to an integer. */
const ROUNDER: f32 = 12582912.0;
const ROUNDER_BITS: u32 = 0x4b400000;

/** The codes of one scheme, held for a slab. */
let lowestCode: f32 = 0.0;
let highestCode: f32 = 0.0;
/** Added to a code before it is stored: an offset to unsigned numbers, or none. */
let storedOffset: i8 = 0;

/** Chooses codes of `bits` bits, stored as they are or, when `unsigned`, with half their range added. */
export function setIntegerCodes(bits: i32, unsigned: bool): void {
  const half = 1 << (bits - 1);
  lowestCode = <f32>-half;
  highestCode = <f32>(half - 1);
  storedOffset = unsigned ? <i8>half : 0;
}

/** Sixteen bytes from four i32x4 of codes. */
@inline
function toBytes(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
}

/**
 * w/scale (+ zero point), clamped, plus the rounder. Around zero only the positive end needs the
 * clamp: a scale is never so far below half the range that -2^(bits-1) - 1 is the nearest.
 */
@inline
function round<Z>(t: v128, zeros: v128, low: v128, high: v128): v128 {
  const shifted = isVoid<Z>() ? t : f32x4.pmax(f32x4.add(t, zeros), low);
  return f32x4.add(f32x4.pmin(shifted, high), f32x4.splat(ROUNDER));
}

/** What the rounded sum stands for, in units of the scale. */
@inline
function decode<Z>(sum: v128, zeros: v128): v128 {
  const code = f32x4.sub(sum, f32x4.splat(ROUNDER));
  return isVoid<Z>() ? code : f32x4.sub(code, zeros);
}

@inline
function codesOf(sum: v128): v128 {
  return i32x4.sub(sum, i32x4.splat(ROUNDER_BITS));
}

/**
 * Encodes `count` elements, a multiple of 16 and at most BLOCK, one code a byte. The type argument
 * Z is i32 for schemes with a zero point and void without.
 */
export function encodeIntegerBlock<T, Z>(
  source: usize,
  count: i32,
  scale: f32,
  zeroPoint: f32,
  codes: usize,
  block: i32,
): void {
  const scales = f32x4.splat(scale);
  const zeros = f32x4.splat(zeroPoint);
  const low = f32x4.splat(lowestCode);
  const high = f32x4.splat(highestCode);
  const offset = i8x16.splat(storedOffset);
  let errors = f32x4.splat(0.0);
  let squares = f32x4.splat(0.0);
  let worst = f32x4.splat(0.0);
  const end = codes + <usize>count;
  for (; codes < end; codes += 16, source += 16 << alignof<T>()) {
    const t0 = f32x4.div(loadFour<T>(source), scales);
    const s0 = round<Z>(t0, zeros, low, high);
    const e0 = f32x4.sub(t0, decode<Z>(s0, zeros));
    const q0 = f32x4.mul(e0, e0);

    const t1 = f32x4.div(loadNextFour<T>(source), scales);
    const s1 = round<Z>(t1, zeros, low, high);
    const e1 = f32x4.sub(t1, decode<Z>(s1, zeros));
    const q1 = f32x4.mul(e1, e1);

    const t2 = f32x4.div(loadFour<T>(source + (8 << alignof<T>())), scales);
    const s2 = round<Z>(t2, zeros, low, high);
    const e2 = f32x4.sub(t2, decode<Z>(s2, zeros));
    const q2 = f32x4.mul(e2, e2);

    const t3 = f32x4.div(loadNextFour<T>(source + (8 << alignof<T>())), scales);
    const s3 = round<Z>(t3, zeros, low, high);
    const e3 = f32x4.sub(t3, decode<Z>(s3, zeros));
    const q3 = f32x4.mul(e3, e3);

    const bytes = toBytes(codesOf(s0), codesOf(s1), codesOf(s2), codesOf(s3));
    v128.store(codes, i8x16.add(bytes, offset));
    errors = f32x4.add(errors, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
    worst = f32x4.pmax(worst, f32x4.pmax(f32x4.pmax(q0, q1), f32x4.pmax(q2, q3)));
    squares = f32x4.add(squares, f32x4.add(f32x4.mul(t0, t0), f32x4.mul(t1, t1)));
    squares = f32x4.add(squares, f32x4.add(f32x4.mul(t2, t2), f32x4.mul(t3, t3)));
  }
  addBlock(errors, worst, squares, scale, block);
}
