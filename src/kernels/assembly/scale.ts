// A scale is stored in its own float type, and the stored number is the one that weights are
// divided by. All scales are positive.
import { toFloat } from './elements';

/** Float types in calls from outside: the same in kernel-module.ts. */
export const F32: i32 = 0;
export const F16: i32 = 1;
export const BF16: i32 = 2;

/** 65520 and above would round to infinity in F16. */
const F16_OVERFLOW: f32 = 65520.0;
const F16_SMALLEST_NORMAL: f32 = 6.103515625e-5; // 2^-14

/** The scale that an all-zero group gets: the type's machine epsilon, as compressed-tensors has it. */
@inline
function idleScaleBits(scaleType: i32): u32 {
  if (scaleType == F32) return 0x34000000; // 2^-23
  return scaleType == F16 ? 0x1400 : 0x3c00; // 2^-10, 2^-7
}

/** The step between a type's smallest numbers. */
@inline
function smallestStep(scaleType: i32): f64 {
  if (scaleType == F32) return 1.401298464324817e-45; // 2^-149
  return scaleType == F16 ? 5.960464477539063e-8 : 9.183549615799121e-41; // 2^-24, 2^-133
}

/**
 * Bits of the scale to store: `single`, which is `reach`/`steps` in f32 arithmetic, rounded to
 * nearest even. Below the type's smallest normal number precision fades until nothing is left:
 * there the exact quotient is rounded up, so that a scale never vanishes and never clips the weight
 * it was made for.
 */
@inline
function scaleBits(reach: f64, steps: f32, single: f32, scaleType: i32): u32 {
  const smallestNormal = scaleType == F16 ? F16_SMALLEST_NORMAL : f32.MIN_NORMAL_VALUE;
  if (single < smallestNormal) {
    if (reach == 0.0) return idleScaleBits(scaleType);
    return <u32>ceil<f64>(reach / <f64>steps / smallestStep(scaleType));
  }
  const bits = reinterpret<u32>(single);
  if (scaleType == F32) return bits;
  if (scaleType == BF16) return (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  // The exponent's bias drops from 127 to 15, and ten bits of the mantissa remain.
  return (bits - (112 << 23) + 0xfff + ((bits >> 13) & 1)) >> 13;
}

/** Stores a scale (see `scaleBits`); false if its type has no finite number of that size. */
@inline
export function storeScale(
  reach: f64,
  steps: f32,
  single: f32,
  scaleType: i32,
  at: usize,
): bool {
  const bits = scaleBits(reach, steps, single, scaleType);
  if (scaleType == F32) store<u32>(at, bits);
  else store<u16>(at, <u16>bits);
  return scaleType != F16 || single < F16_OVERFLOW;
}

@inline
export function loadScale(scaleType: i32, at: usize): f32 {
  if (scaleType == F32) return load<f32>(at);
  return scaleType == F16 ? toFloat<i16>(load<u16>(at)) : toFloat<u16>(load<u16>(at));
}

@inline
export function scaleBytes(scaleType: i32): usize {
  return scaleType == F32 ? 4 : 2;
}
