import type { FloatType, WeightScheme } from '#burnish/kernels/index.js';

/**
 * The encodings once more, slowly and by their definitions: no bit tricks, FP8 by comparing with
 * every number it has. What the kernels write must be the same to the bit.
 */
export interface ReferenceEncoding {
  readonly codes: Uint8Array;
  readonly scales: Uint8Array;
  readonly zeroPoints: Uint8Array | undefined;
  /** What codes and scales stand for, before rounding to f32. */
  readonly decoded: Float64Array;
}

interface Format {
  readonly mantissaBits: number;
  readonly leastExponent: number;
}

const FORMATS: Readonly<Record<FloatType, Format>> = {
  F32: { mantissaBits: 23, leastExponent: -126 },
  F16: { mantissaBits: 10, leastExponent: -14 },
  BF16: { mantissaBits: 7, leastExponent: -126 },
};

/** The finite E4M3FN numbers that are not negative, by code. */
const FLOAT8_NUMBERS = Array.from({ length: 127 }, (_, code) => {
  const exponent = Math.floor(code / 8);
  const mantissa = code % 8;
  return exponent === 0 ? (mantissa / 8) * 2 ** -6 : (1 + mantissa / 8) * 2 ** (exponent - 7);
});

export function roundHalfEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return rest < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function exponentOf(value: number): number {
  let exponent = Math.floor(Math.log2(value));
  while (2 ** exponent > value) exponent -= 1;
  while (2 ** (exponent + 1) <= value) exponent += 1;
  return exponent;
}

/** The scale that is stored for a range `reach` over `steps`; `single` is the f32 quotient. */
function storedScale(reach: number, steps: number, single: number, type: FloatType): number {
  const { mantissaBits, leastExponent } = FORMATS[type];
  if (reach === 0) return 2 ** -mantissaBits;
  if (single < 2 ** leastExponent) {
    const smallest = 2 ** (leastExponent - mantissaBits);
    return Math.ceil(reach / steps / smallest) * smallest;
  }
  const step = 2 ** (exponentOf(single) - mantissaBits);
  return roundHalfEven(single / step) * step;
}

/** Bits of a positive number that the type has. */
function scaleBits(scale: number, type: FloatType): number {
  const { mantissaBits, leastExponent } = FORMATS[type];
  const exponent = Math.max(exponentOf(scale), leastExponent);
  const significand = scale / 2 ** (exponent - mantissaBits);
  return (exponent - leastExponent) * 2 ** mantissaBits + significand;
}

export function float8Code(value: number): number {
  const magnitude = Math.abs(value);
  const sign = value < 0 || Object.is(value, -0) ? 0x80 : 0;
  // The greatest number not above the magnitude, by bisection; then the nearer of it and the next.
  let below = 0;
  let above = FLOAT8_NUMBERS.length;
  while (above - below > 1) {
    const middle = (below + above) >> 1;
    if ((FLOAT8_NUMBERS[middle] ?? 0) <= magnitude) below = middle;
    else above = middle;
  }
  const next = FLOAT8_NUMBERS[below + 1];
  if (next === undefined) return sign + below;
  const fromBelow = magnitude - (FLOAT8_NUMBERS[below] ?? 0);
  const fromNext = next - magnitude;
  const nearer = fromBelow < fromNext || (fromBelow === fromNext && below % 2 === 0);
  return sign + (nearer ? below : below + 1);
}

/** Streams of codes in little-endian int32 words, bit by bit, the lowest first. */
class Words {
  readonly bytes: Uint8Array;
  readonly #bits: number;

  constructor(words: number, bits: number) {
    this.bytes = new Uint8Array(words * 4);
    this.#bits = bits;
  }

  /** Code `index` of the stream whose words are `first` and every `stride`th from there. */
  set(first: number, stride: number, index: number, code: number): void {
    const view = new DataView(this.bytes.buffer);
    for (let i = 0; i < this.#bits; i++) {
      const place = index * this.#bits + i;
      const at = (first + Math.floor(place / 32) * stride) * 4;
      const bit = Math.floor((code + 2 ** (this.#bits - 1)) / 2 ** i) % 2;
      view.setUint32(at, view.getUint32(at, true) + bit * 2 ** (place % 32), true);
    }
  }
}

interface GroupCode {
  readonly scale: number;
  readonly zeroPoint: number;
  readonly codes: readonly number[];
  readonly decoded: readonly number[];
}

function largestMagnitude(weights: readonly number[]): number {
  return weights.reduce((largest, weight) => Math.max(largest, Math.abs(weight)), 0);
}

function encodeFloat8Group(weights: readonly number[], scaleType: FloatType): GroupCode {
  const reach = largestMagnitude(weights);
  const scale = storedScale(reach, 448, Math.fround(reach / 448), scaleType);
  const codes = weights.map((weight) => float8Code(Math.fround(weight / scale)));
  const decoded = codes.map((code) => {
    const magnitude = (FLOAT8_NUMBERS[code % 128] ?? Number.NaN) * scale;
    return code >= 128 ? -magnitude : magnitude;
  });
  return { scale, zeroPoint: 0, codes, decoded };
}

function encodeIntegerGroup(
  weights: readonly number[],
  scheme: WeightScheme & { readonly type: 'int' },
  scaleType: FloatType,
): GroupCode {
  const low = -(2 ** (scheme.bits - 1));
  const high = -low - 1;
  let scale: number;
  let zeroPoint = 0;
  if (scheme.symmetric) {
    const reach = largestMagnitude(weights);
    const steps = (high - low) / 2;
    scale = storedScale(reach, steps, Math.fround(reach / steps), scaleType);
  } else {
    const least = weights.reduce((a, b) => Math.min(a, b), 0);
    const reach = weights.reduce((a, b) => Math.max(a, b), 0) - least;
    const steps = high - low;
    let single = Math.fround(Math.fround(reach) / steps);
    if (single === Number.POSITIVE_INFINITY) single = Math.fround(reach / steps);
    scale = storedScale(reach, steps, single, scaleType);
    if (reach > 0) {
      const exact = Math.fround(low - least / (reach / steps));
      const wanted = single < 2 ** -126 ? exact : Math.fround(low - Math.fround(least / single));
      zeroPoint = roundHalfEven(Math.min(Math.max(wanted, low), high));
    }
  }
  const codes = weights.map((weight) => {
    const shifted = Math.fround(Math.fround(weight / scale) + zeroPoint);
    return roundHalfEven(Math.min(Math.max(shifted, low), high));
  });
  return { scale, zeroPoint, codes, decoded: codes.map((code) => (code - zeroPoint) * scale) };
}

export function encodeReference(
  weights: Float32Array,
  rows: number,
  columns: number,
  scheme: WeightScheme,
  scaleType: FloatType,
): ReferenceEncoding {
  const groupSize = scheme.type === 'int' ? (scheme.groupSize ?? columns) : columns;
  const groups = columns / groupSize;
  const packed = scheme.type === 'int' && scheme.packed;
  const asymmetric = scheme.type === 'int' && !scheme.symmetric;
  const wordsFor = (count: number): number => Math.ceil((count * scheme.bits) / 32);
  const rowWords = wordsFor(columns);
  const packedCodes = new Words(packed ? rows * rowWords : 0, scheme.bits);
  const plainCodes = new Uint8Array(packed ? 0 : rows * columns);
  const zeroPoints = new Words(wordsFor(rows) * groups, scheme.bits);
  const scaleBytes = scaleType === 'F32' ? 4 : 2;
  const scales = new DataView(new ArrayBuffer(rows * groups * scaleBytes));
  const decoded = new Float64Array(rows * columns);

  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < groups; group++) {
      const first = row * columns + group * groupSize;
      const elements = Array.from(weights.subarray(first, first + groupSize));
      const coded =
        scheme.type === 'float'
          ? encodeFloat8Group(elements, scaleType)
          : encodeIntegerGroup(elements, scheme, scaleType);
      const scaleAt = (row * groups + group) * scaleBytes;
      if (scaleType === 'F32') scales.setUint32(scaleAt, scaleBits(coded.scale, scaleType), true);
      else scales.setUint16(scaleAt, scaleBits(coded.scale, scaleType), true);
      if (asymmetric) {
        zeroPoints.set(group, groups, row, coded.zeroPoint);
      }
      decoded.set(coded.decoded, first);
      for (const [i, code] of coded.codes.entries()) {
        const column = group * groupSize + i;
        if (packed) {
          packedCodes.set(row * rowWords, 1, column, code);
        } else {
          plainCodes[row * columns + column] = code;
        }
      }
    }
  }
  return {
    codes: packed ? packedCodes.bytes : plainCodes,
    scales: new Uint8Array(scales.buffer),
    zeroPoints: asymmetric ? zeroPoints.bytes : undefined,
    decoded,
  };
}
