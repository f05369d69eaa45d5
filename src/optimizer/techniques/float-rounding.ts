import type { FloatType } from '../../kernels/index.js';

/**
 * Scales are stored in a float type of their own, and what is stored is what readers multiply by: so
 * they are rounded before anything is encoded with them.
 */
interface FloatFormat {
  /** Bits of the significand, the hidden one included. */
  readonly precision: number;
  /** The smallest normal number. */
  readonly smallestNormal: number;
  readonly largest: number;
}

const FORMATS: Readonly<Record<FloatType, FloatFormat>> = {
  F32: { precision: 24, smallestNormal: 2 ** -126, largest: (2 - 2 ** -23) * 2 ** 127 },
  F16: { precision: 11, smallestNormal: 2 ** -14, largest: 65504 },
  BF16: { precision: 8, smallestNormal: 2 ** -126, largest: (2 - 2 ** -7) * 2 ** 127 },
};

const exponentView = new DataView(new ArrayBuffer(8));

/** The power of two at or below a positive number that is normal in f64. */
function binade(value: number): number {
  exponentView.setFloat64(0, value);
  exponentView.setBigUint64(0, exponentView.getBigUint64(0) & 0x7ff0000000000000n);
  return exponentView.getFloat64(0);
}

/** The number of a type that is nearest to `value`, ties to even, and never beyond the largest. */
export function roundTo(type: FloatType, value: number): number {
  const { precision, smallestNormal, largest } = FORMATS[type];
  const magnitude = Math.abs(value);
  if (magnitude === 0 || Number.isNaN(magnitude)) return value;
  if (magnitude >= largest) return Math.sign(value) * largest;
  const unit = binade(Math.max(magnitude, smallestNormal)) * 2 ** (1 - precision);
  return roundHalfEven(value / unit) * unit;
}

/** 1.5 · 2^52: an f64 of this size has a last bit worth 1, so adding it rounds to an integer. */
const ROUNDER = 1.5 * 2 ** 52;

/** The nearest integer, ties to even; exact for magnitudes below 2^51. */
export function roundHalfEven(value: number): number {
  return value + ROUNDER - ROUNDER;
}

/** The smallest scale worth storing: below it a type loses precision, and a group that small is as good
 * as zero. */
export function smallestScale(type: FloatType): number {
  return FORMATS[type].smallestNormal;
}
