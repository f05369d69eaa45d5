import { FLOAT_BYTES, type FloatType } from './float-type.js';

/** Bits that an integer code can have. */
export type IntegerBits = 2 | 3 | 4 | 8;

/** Bits of the integers that packed codes go into. */
const WORD_BITS = 32;

/** Codes after which a stream of them is at the end of an int32: 32 for 3 bits, which straddle it. */
export function codesPerUnit(bits: number): number {
  return WORD_BITS % bits === 0 ? WORD_BITS / bits : WORD_BITS;
}

/**
 * How a weight `[rows = out_features, columns = in_features]` is encoded.
 *
 * - `float`: FP8 E4M3FN codes, one scale a row.
 * - `int`, `packed: false`: one int8 code a byte (8 bits only, symmetric).
 * - `int`, `packed: true`: `code + 2^(bits-1)` as a stream of bits along the columns, the lowest
 *   first, in little-endian int32; each row is padded to a whole int32.
 *
 * `strategy: 'group'` has one scale for every `groupSize` columns; `groupSize` must divide the
 * columns and is a multiple of 8. `'channel'` has one a row, and `groupSize` is undefined.
 */
export type WeightScheme =
  | { readonly type: 'float'; readonly bits: 8; readonly strategy: 'channel' }
  | {
      readonly type: 'int';
      readonly bits: IntegerBits;
      readonly strategy: 'channel' | 'group';
      readonly groupSize: number | undefined;
      readonly symmetric: boolean;
      readonly packed: boolean;
    };

/** One tensor of an encoded weight; `dtype` is its safetensors name. */
export interface EncodedTensor {
  readonly dtype: FloatType | 'F8_E4M3' | 'I8' | 'I32';
  readonly shape: readonly [number, number];
  readonly bytes: number;
}

/** The tensors that one encoded weight consists of. */
export interface EncodedLayout {
  readonly codes: EncodedTensor;
  readonly scales: EncodedTensor;
  readonly zeroPoints: EncodedTensor | undefined;
}

/** Scales in each row of a weight of `columns` columns. */
export function scalesPerRow(scheme: WeightScheme, columns: number): number {
  if (scheme.strategy === 'channel') return 1;
  return columns / (scheme.groupSize ?? columns);
}

function tensor(dtype: EncodedTensor['dtype'], rows: number, columns: number): EncodedTensor {
  const elementBytes =
    dtype === 'I32' ? 4 : dtype === 'F8_E4M3' || dtype === 'I8' ? 1 : FLOAT_BYTES[dtype];
  return { dtype, shape: [rows, columns], bytes: rows * columns * elementBytes };
}

/**
 * Dtype, shape and size in bytes of everything that encoding a weight `[rows, columns]` writes, so
 * that output offsets can be planned before the work. Layouts are those of compressed-tensors
 * (`float-quantized`, `int-quantized` and `pack-quantized`).
 */
export function encodedLayout(
  scheme: WeightScheme,
  rows: number,
  columns: number,
  scaleType: FloatType,
): EncodedLayout {
  const groups = scalesPerRow(scheme, columns);
  const scales = tensor(scaleType, rows, groups);
  if (scheme.type === 'float') {
    return { codes: tensor('F8_E4M3', rows, columns), scales, zeroPoints: undefined };
  }
  if (!scheme.packed) return { codes: tensor('I8', rows, columns), scales, zeroPoints: undefined };
  return {
    codes: tensor('I32', rows, Math.ceil((columns * scheme.bits) / 32)),
    scales,
    zeroPoints: scheme.symmetric
      ? undefined
      : tensor('I32', Math.ceil((rows * scheme.bits) / 32), groups),
  };
}
