// FP8 E4M3FN ("FP8 Formats for Deep Learning", Micikevicius et al., 2022): sign, four exponent
// bits with bias 7, three mantissa bits, no infinities, largest number 448.
//
// Rounding is an addition: to a magnitude is added the power of two whose last bit is worth the
// magnitude's E4M3 step, so that the f32 adder rounds it, ties to even.
import { loadFour, loadNextFour } from './elements';
import { addBlock } from './error';

const SIGNLESS: u32 = 0x7fffffff;
const EXPONENT_FIELD: u32 = 0x7f800000;
/** f32 bits of 2^-6, the smallest normal E4M3 number: below it the step stays the same. */
const SMALLEST_NORMAL: u32 = 0x3c800000;
/** From the exponent of a magnitude to that of the power added: 23 - 3 bits of mantissa. */
const TO_POWER: u32 = 20 << 23;
/** What is left above the code of 2^-6 when codes are put together, in each half of a word. */
const CODE_BIAS: u32 = ((SMALLEST_NORMAL + TO_POWER) >> 20) * 0x10001;
/** The sign of a code, in each half of a word. */
const SIGN: u32 = 0x00800080;

// V8 builds a constant vector anew in every turn of a loop, but keeps one that was loaded.
const VECTORS: usize = memory.data<u32>([
  SIGNLESS, SIGNLESS, SIGNLESS, SIGNLESS,
  EXPONENT_FIELD, EXPONENT_FIELD, EXPONENT_FIELD, EXPONENT_FIELD,
  SMALLEST_NORMAL, SMALLEST_NORMAL, SMALLEST_NORMAL, SMALLEST_NORMAL,
  TO_POWER, TO_POWER, TO_POWER, TO_POWER,
  CODE_BIAS, CODE_BIAS, CODE_BIAS, CODE_BIAS,
  SIGN, SIGN, SIGN, SIGN,
]);

/** The power of two to add to a magnitude; both as f32x4. */
@inline
function powerFor(magnitude: v128, field: v128, smallest: v128, toPower: v128): v128 {
  return i32x4.add(i32x4.max_s(v128.and(magnitude, field), smallest), toPower);
}

/**
 * Codes (without signs, and CODE_BIAS too large) from the rounded sum: its last bits count E4M3
 * steps, eight to a binade, and a count of sixteen carries into the exponent by itself.
 */
@inline
function biasedCodesOf(sum: v128, power: v128): v128 {
  return i32x4.add(i32x4.sub(sum, power), i32x4.shr_u(power, 20));
}

/** Eight codes in the low half, from codes of magnitudes and the numbers that have the signs. */
@inline
function toBytes(a: v128, b: v128, signedA: v128, signedB: v128, bias: v128, sign: v128): v128 {
  const codes = i16x8.sub(i16x8.narrow_i32x4_s(a, b), bias);
  // Narrowing saturates: the bits of every negative number become 0x8000, of others 0x7fff or less.
  const narrowed = i16x8.shr_u(i16x8.narrow_i32x4_s(signedA, signedB), 8);
  const bytes = v128.or(codes, v128.and(narrowed, sign));
  return i8x16.narrow_i16x8_u(bytes, bytes);
}

/**
 * Encodes `count` elements, a multiple of 16 and at most BLOCK, as weight/scale rounded to the
 * nearest E4M3 number, ties to even. No weight may be above 463 scales, from where on the nearest
 * would be the code of NaN; a scale made for them leaves none above 450, which rounds to 448.
 */
export function encodeFloat8Block<T>(
  source: usize,
  count: i32,
  scale: f32,
  codes: usize,
  block: i32,
): void {
  const scales = f32x4.splat(scale);
  const signless = v128.load(VECTORS);
  const field = v128.load(VECTORS, 16);
  const smallest = v128.load(VECTORS, 32);
  const toPower = v128.load(VECTORS, 48);
  const bias = v128.load(VECTORS, 64);
  const sign = v128.load(VECTORS, 80);
  let errors = f32x4.splat(0.0);
  let squares = f32x4.splat(0.0);
  let worst = f32x4.splat(0.0);
  const end = codes + <usize>count;
  // Storing eight at a time frees their registers before the next eight are loaded.
  for (; codes < end; codes += 8, source += 8 << alignof<T>()) {
    const t0 = f32x4.div(loadFour<T>(source), scales);
    const m0 = v128.and(t0, signless);
    const p0 = powerFor(m0, field, smallest, toPower);
    const s0 = f32x4.add(m0, p0);
    const e0 = f32x4.sub(m0, f32x4.sub(s0, p0));
    const q0 = f32x4.mul(e0, e0);

    const t1 = f32x4.div(loadNextFour<T>(source), scales);
    const m1 = v128.and(t1, signless);
    const p1 = powerFor(m1, field, smallest, toPower);
    const s1 = f32x4.add(m1, p1);
    const e1 = f32x4.sub(m1, f32x4.sub(s1, p1));
    const q1 = f32x4.mul(e1, e1);

    const c0 = biasedCodesOf(s0, p0);
    const c1 = biasedCodesOf(s1, p1);
    v128.store_lane<u64>(codes, toBytes(c0, c1, t0, t1, bias, sign), 0);
    errors = f32x4.add(errors, f32x4.add(q0, q1));
    worst = f32x4.pmax(worst, f32x4.pmax(q0, q1));
    squares = f32x4.add(squares, f32x4.add(f32x4.mul(m0, m0), f32x4.mul(m1, m1)));
  }
  addBlock(errors, worst, squares, scale, block);
}
