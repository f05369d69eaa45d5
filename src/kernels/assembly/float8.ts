// FP8 E4M3FN ("FP8 Formats for Deep Learning", Micikevicius et al., 2022): sign, four exponent
// bits with bias 7, three mantissa bits, no infinities, largest number 448.

import { loadFour } from './elements';
import { addBlock } from './error';

const LARGEST: f32 = 448.0;
const EXPONENT_FIELD: u32 = 0x7f800000;
/** f32 bits of 2^-6, the smallest normal E4M3 number: below it the step stays the same. */
const SMALLEST_NORMAL: u32 = 0x3c800000;
/** Added to a number's exponent field, gives a power of two whose last bit is the number's E4M3 step. */
const STEP_EXPONENTS: u32 = 20 << 23;
/** Exponent field of the step for 2^-6, moved to where the code has its exponent. */
const CODE_BIAS: u32 = (SMALLEST_NORMAL + STEP_EXPONENTS) >> 20;

/** The power of two (as f32x4) to which adding a magnitude rounds it to E4M3, ties to even. */
@inline
function rounder(magnitude: v128): v128 {
  const exponent = v128.and(magnitude, i32x4.splat(EXPONENT_FIELD));
  return i32x4.add(i32x4.max_s(exponent, i32x4.splat(SMALLEST_NORMAL)), i32x4.splat(STEP_EXPONENTS));
}

/**
 * Codes (without signs) from the rounded sum: its last bits count E4M3 steps, eight to a binade,
 * and a count of sixteen carries into the exponent by itself.
 */
@inline
function codesOf(sum: v128, power: v128): v128 {
  const steps = i32x4.sub(sum, power);
  return i32x4.add(steps, i32x4.sub(i32x4.shr_u(power, 20), i32x4.splat(CODE_BIAS)));
}

/** Sixteen bytes from the low bytes of four i32x4, none of which is above 255. */
@inline
function toBytes(a: v128, b: v128, c: v128, d: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(a, b), i16x8.narrow_i32x4_u(c, d));
}

/** Saturating, so that every negative number's bits come out as 0x80 and up, others below. */
@inline
function signBytes(a: v128, b: v128, c: v128, d: v128): v128 {
  const bytes = i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(a, b), i16x8.narrow_i32x4_s(c, d));
  return v128.and(bytes, i8x16.splat(<i8>0x80));
}

/**
 * Encodes `count` elements, a multiple of 16 and at most BLOCK, as weight/scale rounded to the
 * nearest E4M3 number, ties to even, no further out than 448.
 */
export function encodeFloat8Block<T>(
  source: usize,
  count: i32,
  scale: f32,
  codes: usize,
  block: i32,
): void {
  const scales = f32x4.splat(scale);
  const largest = f32x4.splat(LARGEST);
  const signless = i32x4.splat(0x7fffffff);
  let errors = f32x4.splat(0.0);
  let squares = f32x4.splat(0.0);
  let worst = f32x4.splat(0.0);
  const end = codes + <usize>count;
  for (; codes < end; codes += 16, source += 16 << alignof<T>()) {
    const t0 = f32x4.div(loadFour<T>(source), scales);
    const t1 = f32x4.div(loadFour<T>(source + (4 << alignof<T>())), scales);
    const t2 = f32x4.div(loadFour<T>(source + (8 << alignof<T>())), scales);
    const t3 = f32x4.div(loadFour<T>(source + (12 << alignof<T>())), scales);

    const m0 = v128.and(t0, signless);
    const p0 = rounder(f32x4.pmin(m0, largest));
    const s0 = f32x4.add(f32x4.pmin(m0, largest), p0);
    const e0 = f32x4.sub(m0, f32x4.sub(s0, p0));
    const q0 = f32x4.mul(e0, e0);
    const c0 = codesOf(s0, p0);

    const m1 = v128.and(t1, signless);
    const p1 = rounder(f32x4.pmin(m1, largest));
    const s1 = f32x4.add(f32x4.pmin(m1, largest), p1);
    const e1 = f32x4.sub(m1, f32x4.sub(s1, p1));
    const q1 = f32x4.mul(e1, e1);
    const c1 = codesOf(s1, p1);

    const m2 = v128.and(t2, signless);
    const p2 = rounder(f32x4.pmin(m2, largest));
    const s2 = f32x4.add(f32x4.pmin(m2, largest), p2);
    const e2 = f32x4.sub(m2, f32x4.sub(s2, p2));
    const q2 = f32x4.mul(e2, e2);
    const c2 = codesOf(s2, p2);

    const m3 = v128.and(t3, signless);
    const p3 = rounder(f32x4.pmin(m3, largest));
    const s3 = f32x4.add(f32x4.pmin(m3, largest), p3);
    const e3 = f32x4.sub(m3, f32x4.sub(s3, p3));
    const q3 = f32x4.mul(e3, e3);
    const c3 = codesOf(s3, p3);

    v128.store(codes, v128.or(toBytes(c0, c1, c2, c3), signBytes(t0, t1, t2, t3)));
    errors = f32x4.add(errors, f32x4.add(f32x4.add(q0, q1), f32x4.add(q2, q3)));
    worst = f32x4.pmax(worst, f32x4.pmax(f32x4.pmax(q0, q1), f32x4.pmax(q2, q3)));
    squares = f32x4.add(squares, f32x4.add(f32x4.mul(m0, m0), f32x4.mul(m1, m1)));
    squares = f32x4.add(squares, f32x4.add(f32x4.mul(m2, m2), f32x4.mul(m3, m3)));
  }
  addBlock(errors, worst, squares, scale, block);
}
