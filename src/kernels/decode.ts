import { FLOAT_BYTES, type FloatType } from './float-type.js';
import { scalesPerRow, type WeightScheme } from './weight-scheme.js';

/**
 * Decoding in plain TypeScript: the meaning of every encoding, written straight from its
 * definition and apart from the kernels, so that it can tell whether they are right. All files are
 * little-endian.
 */

/** Encoded rows of a weight, as they stand in its tensors. */
export interface EncodedRows {
  readonly scheme: WeightScheme;
  readonly scaleType: FloatType;
  readonly rows: number;
  readonly columns: number;
  readonly codes: Uint8Array;
  readonly scales: Uint8Array;
  /**
   * Of asymmetric schemes. As rows share words, the first row here must begin one: its number is
   * a multiple of `codesPerUnit`.
   */
  readonly zeroPoints?: Uint8Array;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The worth of a half's last mantissa bit, by its exponent field. */
const HALF_STEPS = Float64Array.from({ length: 31 }, (_, field) => 2 ** (Math.max(field, 1) - 25));

/** The number that 16 bits of IEEE 754 half precision stand for. */
export function decodeHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const mantissa = bits & 0x3ff;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  const significand = exponent === 0 ? mantissa : 1024 + mantissa;
  return sign * significand * (HALF_STEPS[exponent] ?? Number.NaN);
}

/**
 * The number that a code of FP8 E4M3FN stands for: no infinities, and NaN only with all bits of
 * exponent and mantissa set ("FP8 Formats for Deep Learning", Micikevicius et al., 2022).
 */
export function decodeFloat8(code: number): number {
  const sign = code & 0x80 ? -1 : 1;
  const exponent = (code >> 3) & 0x0f;
  const mantissa = code & 0x07;
  if (exponent === 0x0f && mantissa === 0x07) return Number.NaN;
  if (exponent === 0) return sign * mantissa * 2 ** -9;
  return sign * (8 + mantissa) * 2 ** (exponent - 10);
}

const FLOAT8_NUMBERS = Float32Array.from({ length: 256 }, (_, code) => decodeFloat8(code));

/** Elements of `type` as f32; every one of them has an exact f32. */
export function decodeFloats(bytes: Uint8Array, type: FloatType): Float32Array {
  const source = view(bytes);
  const size = FLOAT_BYTES[type];
  const decoded = new Float32Array(bytes.byteLength / size);
  const decodedBits = new Uint32Array(decoded.buffer);
  for (let i = 0; i < decoded.length; i++) {
    if (type === 'F32') decodedBits[i] = source.getUint32(i * size, true);
    else if (type === 'F16') decoded[i] = decodeHalf(source.getUint16(i * size, true));
    // BF16 is the upper half of an F32.
    else decodedBits[i] = source.getUint16(i * size, true) << 16;
  }
  return decoded;
}

/** Code `index` of a stream in int32 words, the lowest bits first, moved down by half the range.
 * @param byteOf the place of each of the stream's words. */
function unpackCode(
  words: DataView,
  byteOf: (word: number) => number,
  index: number,
  bits: number,
): number {
  const word = Math.floor((index * bits) / 32);
  const shift = (index * bits) % 32;
  let field = words.getUint32(byteOf(word), true) >>> shift;
  if (shift + bits > 32) field |= words.getUint32(byteOf(word + 1), true) << (32 - shift);
  return (field & ((1 << bits) - 1)) - (1 << (bits - 1));
}

/**
 * Decodes the columns from `first` up to `end` of one row: code × scale, less the zero point where
 * the scheme has one, in f32 arithmetic.
 */
export function decodeColumns(
  encoded: EncodedRows,
  row: number,
  first: number,
  end: number,
): Float32Array {
  const { scheme, scaleType, columns } = encoded;
  const { bits } = scheme;
  const codes = view(encoded.codes);
  const zeroPoints = encoded.zeroPoints ? view(encoded.zeroPoints) : undefined;
  const groups = scalesPerRow(scheme, columns);
  const groupSize = columns / groups;
  const wordsPerRow = Math.ceil((columns * bits) / 32);
  const rowScaleBytes = groups * FLOAT_BYTES[scaleType];
  const scales = decodeFloats(
    encoded.scales.subarray(row * rowScaleBytes, (row + 1) * rowScaleBytes),
    scaleType,
  );

  /** The code in a column, before any zero point. */
  const codeAt = (column: number): number => {
    if (scheme.type === 'float') {
      return FLOAT8_NUMBERS[codes.getUint8(row * columns + column)] ?? Number.NaN;
    }
    if (!scheme.packed) return codes.getInt8(row * columns + column);
    return unpackCode(codes, (word) => (row * wordsPerRow + word) * 4, column, bits);
  };
  /** Zero points are packed along the rows: a stream for each group. */
  const zeroPointAt = (group: number): number => {
    if (zeroPoints === undefined) return 0;
    return unpackCode(zeroPoints, (word) => (word * groups + group) * 4, row, bits);
  };

  const decoded = new Float32Array(end - first);
  let group = -1;
  let scale = Number.NaN;
  let zeroPoint = 0;
  for (let column = first; column < end; column++) {
    const groupHere = Math.floor(column / groupSize);
    if (groupHere !== group) {
      group = groupHere;
      scale = scales[group] ?? Number.NaN;
      zeroPoint = zeroPointAt(group);
    }
    decoded[column - first] = (codeAt(column) - zeroPoint) * scale;
  }
  return decoded;
}

/** Decodes encoded rows to `[rows, columns]` f32, row after row; see `decodeColumns`. */
export function decodeRows(encoded: EncodedRows): Float32Array {
  const { rows, columns } = encoded;
  const decoded = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    decoded.set(decodeColumns(encoded, row, 0, columns), row * columns);
  }
  return decoded;
}
