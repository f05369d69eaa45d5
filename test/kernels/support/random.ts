import { FLOAT_BYTES, type FloatType } from '#burnish/kernels/index.js';

/** A reproducible source of numbers in [0, 1): the same seed, the same numbers. */
export type Random = () => number;

export function wholeNumber(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1));
}

export function oneOf<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[wholeNumber(random, 0, values.length - 1)];
  if (value === undefined) throw new Error('nothing to choose from');
  return value;
}

export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Width of the exponent and the mantissa of each type. */
const FIELDS: Readonly<Record<FloatType, readonly [exponent: number, mantissa: number]>> = {
  F32: [8, 23],
  F16: [5, 10],
  BF16: [8, 7],
};

/** Kinds of weights that are drawn as bits, so that every corner of a type comes up. */
export const WEIGHT_KINDS = ['layer', 'anyFinite', 'subnormal', 'halves', 'zeros'] as const;
export type WeightKind = (typeof WEIGHT_KINDS)[number];

/**
 * One element's bits. `layer`: normally distributed as in a trained layer; `anyFinite`: any finite
 * number below a quarter of the largest; `subnormal`; `halves`: small multiples of 1/2, so that
 * quotients are often ties; `zeros`: mostly zeros of both signs.
 */
function elementBits(random: Random, type: FloatType, kind: WeightKind): number {
  const [exponentBits, mantissaBits] = FIELDS[type];
  const sign = random() < 0.5 ? 2 ** (exponentBits + mantissaBits) : 0;
  const mantissa = wholeNumber(random, 0, 2 ** mantissaBits - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  switch (kind) {
    case 'layer':
      return bitsOf(normal(random) * 0.02, type);
    case 'anyFinite':
      return sign + wholeNumber(random, 0, 2 * bias - 2) * 2 ** mantissaBits + mantissa;
    case 'subnormal':
      return sign + mantissa;
    case 'halves':
      return bitsOf(wholeNumber(random, -15, 15) / 2, type);
    case 'zeros':
      return random() < 0.9 ? sign : bitsOf(normal(random), type);
  }
}

/** A number's bits in `type`, cut off towards zero. */
export function bitsOf(value: number, type: FloatType): number {
  const [exponentBits, mantissaBits] = FIELDS[type];
  const sign = value < 0 || Object.is(value, -0) ? 2 ** (exponentBits + mantissaBits) : 0;
  const magnitude = Math.abs(value);
  if (magnitude === 0) return sign;
  const bias = 2 ** (exponentBits - 1) - 1;
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), 1 - bias);
  const significand = Math.floor(magnitude * 2 ** (mantissaBits - exponent));
  // A normal number's leading bit carries the field from one below its exponent.
  return sign + (exponent + bias - 1) * 2 ** mantissaBits + significand;
}

/** Elements of `type`, little-endian. */
export function elementBytes(bits: readonly number[], type: FloatType): Uint8Array {
  const size = FLOAT_BYTES[type];
  const bytes = new Uint8Array(bits.length * size);
  const view = new DataView(bytes.buffer);
  for (const [i, element] of bits.entries()) {
    if (size === 4) view.setUint32(i * size, element, true);
    else view.setUint16(i * size, element, true);
  }
  return bytes;
}

/** `count` random elements of one kind. */
export function randomWeights(
  random: Random,
  type: FloatType,
  kind: WeightKind,
  count: number,
): Uint8Array {
  const bits = Array.from({ length: count }, () => elementBits(random, type, kind));
  return elementBytes(bits, type);
}
