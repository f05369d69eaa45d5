// Integer codes: round(weight/scale + zero point) in [lowest, lowest + 2^bits), ties to even.

import { loadFour } from './elements';
import { addBlock } from './error';

/** 1.5 * 2^23: an f32 of this size has a last bit worth 1, so adding it rounds to an integer. */
const ROUNDER: f32 = 12582912.0;
const ROUNDER_BITS: u32 = 0x4b400000;

/** Settings of one integer scheme, held for a slab. */
let lowestCode: f32 = 0.0;
let highestCode: f32 = 0.0;
/** Added to a code before it is stored: an offset to unsigned, or none. */
let storedOffset: f32 = 0.0;

export function setIntegerCodes(bits: i32, unsigned: bool): void {
  lowestCode = <f32>-(1 << (bits - 1));
  highestCode = <f32>((1 << (bits - 1)) - 1);
  storedOffset = unsigned ? -lowestCode : 0.0;
}

/** Rounds w/scale (+ zero) to codes in the last bits of the sum; clamped before, which is the same. */
@inline
function roundToCodes(t: v128, low: v128, high: v128, rounder: v128): v128 {
  return f32x4.add(f32x4.pmin(f32x4.pmax(t, low), high), rounder);
}

@inline
function toBytes(a: v128, b: v128, c: v128, d: v128): v128 {
  // The sums' last bytes are the codes; above them are the rounder's bits.
  const ab = v128.shuffle<u8>(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  const cd = v128.shuffle<u8>(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 0, 4, 8, 12, 16, 20, 24, 28);
  return v128.shuffle<u64>(ab, cd, 0, 2);
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
  const rounder = f32x4.splat(ROUNDER + storedOffset);
  let errors = f32x4.splat(0.0);
  let squares = f32x4.splat(0.0);
  let worst = f32x4.splat(0.0);
  const end = codes + <usize>count;
  for (; codes < end; codes += 16, source += 16 << alignof<T>()) {
    const t0 = f32x4.div(loadFour<T>(source), scales);
    const s0 = roundToCodes(isVoid<Z>() ? t0 : f32x4.add(t0, zeros), low, high, rounder);
    const d0 = isVoid<Z>() ? f32x4.sub(s0, rounder) : f32x4.sub(f32x4.sub(s0, rounder), zeros);
    const e0 = f32x4.sub(t0, d0);
    const q0 = f32x4.mul(e0, e0);

    const t1 = f32x4.div(loadFour<T>(source + (4 << alignof<T>())), scales);
    const s1 = roundToCodes(isVoid<Z>() ? t1 : f32x4.add(t1, zeros), low, high, rounder);
    const d1 = isVoid<Z>() ? f32x4.sub(s1, rounder) : f32x4.sub(f32x4.sub(s1, rounder), zeros);
    const e1 = f32x4.sub(t1, d1);
    const q1 = f32x4.mul(e1, e1);

    const t2 = f32x4.div(loadFour<T>(source + (8 << alignof<T>())), scales);
    const s2 = roundToCodes(isVoid<Z>() ? t2 : f32x4.add(t2, zeros), low, high, rounder);
    const d2 = isVoid<Z>() ? f32x4.sub(s2, rounder) : f32x4.sub(f32x4.sub(s2, rounder), zeros);
    const e2 = f32x4.sub(t2, d2);
    const q2 = f32x4.mul(e2, e2);

    const t3 = f32x4.div(loadFour<T>(source + (12 << alignof<T>())), scales);
    const s3 = roundToCodes(isVoid<Z>() ? t3 : f32x4.add(t3, zeros), low, high, rounder);
    const d3 = isVoid<Z>() ? f32x4.sub(s3, rounder) : f32x4.sub(f32x4.sub(s3, rounder), zeros);
    const e3 = f32x4.sub(t3, d3);
    const q3 = f32x4.mul(e3, e3);

    v128.store(codes, toBytes(s0, s1, s2, s3));
    errors = f32x4.add(errors, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
    worst = f32x4.pmax(worst, f32x4.pmax(f32x4.pmax(q0, q1), f32x4.pmax(q2, q3)));
    squares = f32x4.add(squares, f32x4.add(f32x4.mul(t0, t0), f32x4.mul(t1, t1)));
    squares = f32x4.add(squares, f32x4.add(f32x4.mul(t2, t2), f32x4.mul(t3, t3)));
  }
  addBlock(errors, worst, squares, scale, block);
}
