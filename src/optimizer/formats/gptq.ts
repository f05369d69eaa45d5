import type { JsonObject } from '../../checkpoint/json.js';
import type { PlannedTensor } from '../../checkpoint/safetensors/layout.js';
import type { EncodedIntegers } from '../techniques/encoded-weight.js';
import {
  FormatError,
  floatBytes,
  type IntegerShape,
  type PackedTensor,
  putBits,
  putStream,
  transposed,
  WORD_BITS,
  withData,
  wordBytes,
} from './packed-tensors.js';

/**
 * GPTQ checkpoints in the form that every reader knows (`checkpoint_format: gptq`): weights stand
 * transposed, `[inputs, outputs]`; the codes of one output are a stream of bits along its inputs, and
 * the zero points of one group, less one, a stream along the outputs.
 */

/** Bits that readers of this format take. */
const SUPPORTED_BITS: readonly number[] = [2, 3, 4, 8];

/** Codes after which a stream is at a word's end again: 32 for 3 bits, where codes straddle words. */
function codesPerUnit(bits: number): number {
  return WORD_BITS % bits === 0 ? WORD_BITS / bits : WORD_BITS;
}

/** Why a weight cannot be stored in this format; undefined if it can. */
function gptqProblem({ rows, columns, bits }: IntegerShape): string | undefined {
  if (!SUPPORTED_BITS.includes(bits)) {
    return `GPTQ checkpoints have weights of ${SUPPORTED_BITS.join(', ')} bits, not ${bits}.`;
  }
  const unit = codesPerUnit(bits);
  if (columns % unit !== 0) return `its ${columns} inputs are not a multiple of ${unit}.`;
  if (rows % unit !== 0) return `its ${rows} outputs are not a multiple of ${unit}.`;
  return undefined;
}

/** What takes the place of `<module>.weight`. */
export function gptqTensors(module: string, shape: IntegerShape): readonly PlannedTensor[] {
  const problem = gptqProblem(shape);
  if (problem !== undefined) throw new FormatError(module, problem);
  const { rows, columns, bits, groupSize } = shape;
  const groups = Math.ceil(columns / groupSize);
  return [
    { name: `${module}.qweight`, dtype: 'I32', shape: [(columns * bits) / WORD_BITS, rows] },
    { name: `${module}.qzeros`, dtype: 'I32', shape: [groups, (rows * bits) / WORD_BITS] },
    { name: `${module}.scales`, dtype: 'F16', shape: [groups, rows] },
    { name: `${module}.g_idx`, dtype: 'I32', shape: [columns] },
  ];
}

/**
 * @throws FormatError for a weight that the format cannot hold. Zero points must be 1 or more: 0 less
 * one would wrap around, and readers differ in what they make of that.
 */
export function packGptq(module: string, weight: EncodedIntegers): readonly PackedTensor[] {
  const planned = gptqTensors(module, weight);
  if (weight.scaleType !== 'F16') {
    throw new FormatError(module, `GPTQ checkpoints have F16 scales, not ${weight.scaleType}.`);
  }
  const { rows, columns, groupSize, scales, groupOf } = weight;
  const groups = scales.length / rows;
  const group = Uint32Array.from({ length: columns }, (_, column) =>
    groupOf === undefined ? Math.floor(column / groupSize) : (groupOf[column] ?? 0),
  );
  return withData(planned, [
    packCodes(weight),
    packZeroPoints(module, weight, groups),
    floatBytes(transposed(scales, rows, groups), 'F16'),
    wordBytes(group),
  ]);
}

function packCodes({ rows, columns, bits, codes }: EncodedIntegers): Uint8Array {
  const wordsPerRow = (columns * bits) / WORD_BITS;
  const words = new Uint32Array(wordsPerRow * rows);
  const stream = new Uint32Array(wordsPerRow);
  for (let row = 0; row < rows; row++) {
    putStream(stream, 0, bits, codes, row * columns, (row + 1) * columns);
    for (let word = 0; word < wordsPerRow; word++) words[word * rows + row] = stream[word] ?? 0;
  }
  return wordBytes(words);
}

function packZeroPoints(
  module: string,
  { rows, bits, zeroPoints }: EncodedIntegers,
  groups: number,
): Uint8Array {
  const wordsPerGroup = (rows * bits) / WORD_BITS;
  const words = new Uint32Array(groups * wordsPerGroup);
  for (let group = 0; group < groups; group++) {
    const stream = words.subarray(group * wordsPerGroup, (group + 1) * wordsPerGroup);
    for (let row = 0; row < rows; row++) {
      const zeroPoint = zeroPoints[row * groups + group] ?? 0;
      if (zeroPoint < 1) {
        throw new FormatError(module, `the zero point of row ${row}, group ${group} is 0.`);
      }
      putBits(stream, row * bits, bits, zeroPoint - 1);
    }
  }
  return wordBytes(words);
}

export interface GptqConfigSettings {
  readonly bits: number;
  /** Undefined for one scale per output. */
  readonly groupSize: number | undefined;
  readonly symmetric: boolean;
  /** Whether any layer has groups of columns that do not follow each other (`g_idx`). */
  readonly reorderedGroups: boolean;
  readonly damping: number;
  /** Modules that keep their weight. */
  readonly unquantized: readonly string[];
}

/** The `quantization_config` of such a checkpoint. */
export function gptqConfig(settings: GptqConfigSettings): JsonObject {
  const { bits, groupSize, symmetric, reorderedGroups, damping, unquantized } = settings;
  return {
    quant_method: 'gptq',
    checkpoint_format: 'gptq',
    bits,
    group_size: groupSize ?? -1,
    sym: symmetric,
    desc_act: reorderedGroups,
    static_groups: !reorderedGroups,
    true_sequential: true,
    damp_percent: damping,
    lm_head: false,
    // A minus sign in front of an expression leaves the modules that it matches as they are.
    dynamic: Object.fromEntries(unquantized.map((module) => [`-:^${literal(module)}$`, {}])),
  };
}

function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
