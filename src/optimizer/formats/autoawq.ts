import type { JsonObject } from '../../checkpoint/json.js';
import type { PlannedTensor } from '../../checkpoint/safetensors/layout.js';
import type { EncodedIntegers } from '../techniques/encoded-weight.js';
import {
  FormatError,
  floatBytes,
  type IntegerShape,
  type PackedTensor,
  transposed,
  WORD_BITS,
  withData,
  wordBytes,
} from './packed-tensors.js';

/**
 * AutoAWQ's GEMM checkpoints: weights stand transposed, `[inputs, outputs]`, eight 4-bit codes of
 * neighbouring outputs to a word, scales in half precision.
 */

const BITS = 4;
const CODES = WORD_BITS / BITS;
/** Which of eight neighbouring outputs each field of a word holds, the lowest first. */
const FIELD_ORDER = [0, 2, 4, 6, 1, 3, 5, 7] as const;

/** Why a weight cannot be stored in this format; undefined if it can. */
function autoAwqProblem(shape: IntegerShape): string | undefined {
  const { rows, columns, bits, groupSize } = shape;
  if (bits !== BITS) return `AutoAWQ checkpoints have 4-bit weights, not ${bits}-bit ones.`;
  if (rows % CODES !== 0) return `its ${rows} outputs are not a multiple of ${CODES}.`;
  if (columns % groupSize !== 0) {
    return `its ${columns} inputs are not a multiple of the group size ${groupSize}.`;
  }
  return undefined;
}

/** What takes the place of `<module>.weight`. */
export function autoAwqTensors(module: string, shape: IntegerShape): readonly PlannedTensor[] {
  const { rows, columns, groupSize } = shape;
  const problem = autoAwqProblem(shape);
  if (problem !== undefined) throw new FormatError(module, problem);
  const groups = columns / groupSize;
  return [
    { name: `${module}.qweight`, dtype: 'I32', shape: [columns, rows / CODES] },
    { name: `${module}.qzeros`, dtype: 'I32', shape: [groups, rows / CODES] },
    { name: `${module}.scales`, dtype: 'F16', shape: [groups, rows] },
  ];
}

/** @throws FormatError for a weight that the format cannot hold. */
export function packAutoAwq(module: string, weight: EncodedIntegers): readonly PackedTensor[] {
  const planned = autoAwqTensors(module, weight);
  if (weight.groupOf !== undefined) {
    throw new FormatError(module, 'AutoAWQ checkpoints have groups of consecutive inputs only.');
  }
  if (weight.scaleType !== 'F16') {
    throw new FormatError(module, `AutoAWQ checkpoints have F16 scales, not ${weight.scaleType}.`);
  }
  const { rows, columns, groupSize, codes, zeroPoints, scales } = weight;
  const groups = columns / groupSize;
  return withData(planned, [
    packOutputs(codes, rows, columns),
    packOutputs(zeroPoints, rows, groups),
    floatBytes(transposed(scales, rows, groups), 'F16'),
  ]);
}

/** Packs `[rows, columns]` codes as `[columns, rows / 8]` words. */
function packOutputs(codes: Uint8Array, rows: number, columns: number): Uint8Array {
  const width = rows / CODES;
  const words = new Uint32Array(columns * width);
  for (let word = 0; word < width; word++) {
    for (const [field, output] of FIELD_ORDER.entries()) {
      const from = (word * CODES + output) * columns;
      for (let column = 0; column < columns; column++) {
        const at = column * width + word;
        words[at] = (words[at] ?? 0) | ((codes[from + column] ?? 0) << (field * BITS));
      }
    }
  }
  return wordBytes(words);
}

/**
 * The `quantization_config` of such a checkpoint.
 *
 * It always says that there are zero points: they are stored in any case, and a symmetric weight's are
 * all 8, while readers differ in what they make of their absence.
 * @param groupSize of every layer; undefined for one scale per output.
 * @param unquantized modules that keep their weight.
 */
export function autoAwqConfig(
  groupSize: number | undefined,
  unquantized: readonly string[],
): JsonObject {
  return {
    quant_method: 'awq',
    bits: BITS,
    group_size: groupSize ?? -1,
    zero_point: true,
    version: 'gemm',
    modules_to_not_convert: unquantized.length === 0 ? null : [...unquantized],
  };
}
