import type { PlannedTensor } from '../../checkpoint/safetensors/layout.js';
import type { FloatType } from '../../kernels/index.js';
import type {
  EncodedFloat8,
  EncodedIntegers,
  EncodedWeight,
} from '../techniques/encoded-weight.js';
import {
  FormatError,
  floatBytes,
  type PackedTensor,
  putBits,
  putStream,
  WORD_BITS,
  withData,
  wordBytes,
} from './packed-tensors.js';

/**
 * An encoded weight as the tensors of compressed-tensors' checkpoints: `pack-quantized` for integers
 * that are packed into words, `int-quantized` for 8-bit integers that are not, `float-quantized` for
 * FP8.
 */

/** All that the tensors' shapes depend on. */
export type CompressedShape =
  | {
      readonly kind: 'integers';
      readonly rows: number;
      readonly columns: number;
      readonly bits: number;
      readonly groupSize: number;
      readonly symmetric: boolean;
      readonly scaleType: FloatType;
      /** Whether groups are not consecutive columns. */
      readonly reorderedGroups: boolean;
      readonly packed: boolean;
    }
  | {
      readonly kind: 'float8';
      readonly rows: number;
      readonly columns: number;
      readonly scaleType: FloatType;
      readonly scales: 'tensor' | 'row';
      readonly staticInputs: boolean;
    };

/** What takes the place of `<module>.weight`. */
export function compressedTensors(
  module: string,
  shape: CompressedShape,
): readonly PlannedTensor[] {
  const { rows, columns, scaleType } = shape;
  if (shape.kind === 'float8') {
    const scaleShape = shape.scales === 'tensor' ? [1] : [rows, 1];
    return [
      { name: `${module}.weight`, dtype: 'F8_E4M3', shape: [rows, columns] },
      { name: `${module}.weight_scale`, dtype: scaleType, shape: scaleShape },
      ...(shape.staticInputs
        ? [{ name: `${module}.input_scale`, dtype: scaleType, shape: [1] } as const]
        : []),
    ];
  }
  const groups = Math.ceil(columns / shape.groupSize);
  const scales: PlannedTensor = {
    name: `${module}.weight_scale`,
    dtype: scaleType,
    shape: [rows, groups],
  };
  if (!shape.packed) {
    if (shape.bits !== 8 || !shape.symmetric || shape.reorderedGroups) {
      throw new FormatError(module, 'only symmetric 8-bit codes can be stored unpacked.');
    }
    return [{ name: `${module}.weight`, dtype: 'I8', shape: [rows, columns] }, scales];
  }
  const zeroPoints: PlannedTensor = {
    name: `${module}.weight_zero_point`,
    dtype: 'I32',
    shape: [wordsFor(rows, shape.bits), groups],
  };
  return [
    {
      name: `${module}.weight_packed`,
      dtype: 'I32',
      shape: [rows, wordsFor(columns, shape.bits)],
    },
    scales,
    ...(shape.symmetric ? [] : [zeroPoints]),
    { name: `${module}.weight_shape`, dtype: 'I64', shape: [2] },
    ...(shape.reorderedGroups
      ? [{ name: `${module}.weight_g_idx`, dtype: 'I32', shape: [columns] } as const]
      : []),
  ];
}

/** @param packed whether integers go into words; 8-bit ones of W8A8 schemes do not. */
export function packCompressed(
  module: string,
  weight: EncodedWeight,
  packed = true,
): readonly PackedTensor[] {
  return weight.kind === 'float8'
    ? packFloat8(module, weight)
    : packIntegers(module, weight, packed);
}

function packFloat8(module: string, weight: EncodedFloat8): readonly PackedTensor[] {
  const { codes, scales, scaleType, inputScale } = weight;
  const planned = compressedTensors(module, {
    ...weight,
    scales: scales.length === 1 ? 'tensor' : 'row',
    staticInputs: inputScale !== undefined,
  });
  return withData(planned, [
    codes,
    floatBytes(scales, scaleType),
    ...(inputScale === undefined ? [] : [floatBytes(Float32Array.of(inputScale), scaleType)]),
  ]);
}

function packIntegers(
  module: string,
  weight: EncodedIntegers,
  packed: boolean,
): readonly PackedTensor[] {
  const { rows, columns, bits, codes, scales, scaleType, symmetric, zeroPoints, groupOf } = weight;
  const reorderedGroups = groupOf !== undefined;
  const planned = compressedTensors(module, { ...weight, reorderedGroups, packed });
  const groups = scales.length / rows;
  const middle = 2 ** (bits - 1);
  if (!packed) {
    return withData(planned, [
      codes.map((code) => (code - middle) & 0xff),
      floatBytes(scales, scaleType),
    ]);
  }
  return withData(planned, [
    packColumns(codes, rows, columns, bits),
    floatBytes(scales, scaleType),
    ...(symmetric ? [] : [packRows(zeroPoints, rows, groups, bits)]),
    int64Bytes([rows, columns]),
    ...(groupOf === undefined ? [] : [wordBytes(groupOf)]),
  ]);
}

/** Each row a stream of bits along the columns, which ends with its last word; `[rows, words]`. */
function packColumns(codes: Uint8Array, rows: number, columns: number, bits: number): Uint8Array {
  const width = wordsFor(columns, bits);
  const words = new Uint32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    putStream(words, row * width, bits, codes, row * columns, (row + 1) * columns);
  }
  return wordBytes(words);
}

/** Each column a stream of bits along the rows; `[words, columns]`. */
function packRows(codes: Uint8Array, rows: number, columns: number, bits: number): Uint8Array {
  const height = wordsFor(rows, bits);
  const words = new Uint32Array(height * columns);
  const stream = new Uint32Array(height);
  for (let column = 0; column < columns; column++) {
    stream.fill(0);
    for (let row = 0; row < rows; row++) {
      putBits(stream, row * bits, bits, codes[row * columns + column] ?? 0);
    }
    for (let word = 0; word < height; word++) words[word * columns + column] = stream[word] ?? 0;
  }
  return wordBytes(words);
}

function wordsFor(codes: number, bits: number): number {
  return Math.ceil((codes * bits) / WORD_BITS);
}

function int64Bytes(values: readonly number[]): Uint8Array {
  return new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
}
