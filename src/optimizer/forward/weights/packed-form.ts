import { CheckpointError } from '../../../checkpoint/errors.js';
import { allFloats } from './byte-form.js';
import { matrixShape } from './plain-form.js';
import type { StoredForm } from './stored-form.js';
import type { TensorFiles } from './tensor-files.js';

const WORD_BITS = 32;

/** Bits that a packed weight can have. Rows of a few codes could be of several; these are whole words
 * of what comes first. */
const BITS = [4, 8, 2, 3] as const;

/** `pack-quantized` of compressed-tensors: each row's codes are a stream of bits, the lowest first, which
 * ends with a 32-bit word; a scale for each group of columns, and perhaps a zero point, packed along the
 * rows. Codes and zero points are stored with half their range added. */
export const PACKED_FORM: StoredForm = {
  matches: (files, module) => files.has(`${module}.weight_packed`),
  shape: storedShape,
  read: async (files, module, first, count, target) => {
    const packed = files.find(`${module}.weight_packed`);
    const { columns: words } = matrixShape(packed);
    const { columns } = await storedShape(files, module);
    const bits = bitsOf(words, columns, module);
    const codes = wordsOf(await files.bytes(packed, first * words * 4, count * words * 4));
    const scales = await allFloats(files, `${module}.weight_scale`);
    const { columns: groups } = matrixShape(files.find(`${module}.weight_scale`));
    const runs = groupRuns(await columnGroups(files, module, columns, groups));
    const zeroPoint = await zeroPoints(files, module, bits, groups);
    const half = 2 ** (bits - 1);
    const rowCodes = new Uint8Array(columns);
    const rowZeros = new Int32Array(groups);
    for (let row = 0; row < count; row += 1) {
      const rowScales = scales.subarray((first + row) * groups, (first + row + 1) * groups);
      for (let group = 0; group < groups; group += 1) {
        rowZeros[group] = half + zeroPoint(first + row, group);
      }
      unpackCodes(codes, row * words, 1, bits, rowCodes);
      const start = row * columns;
      for (const { group, first: from, end } of runs) {
        const zero = rowZeros[group] ?? 0;
        const scale = rowScales[group] ?? Number.NaN;
        for (let column = from; column < end; column += 1) {
          target[start + column] = ((rowCodes[column] ?? 0) - zero) * scale;
        }
      }
    }
  },
};

async function storedShape(
  files: TensorFiles,
  module: string,
): Promise<{ readonly rows: number; readonly columns: number }> {
  const shape = files.find(`${module}.weight_shape`);
  const { buffer } = await files.bytes(shape, 0, shape.length);
  const [rows, columns] = Array.from(new BigInt64Array(buffer), Number);
  const packed = matrixShape(files.find(`${module}.weight_packed`));
  if (rows !== packed.rows || columns === undefined) {
    throw new CheckpointError('does not fit the packed weight', {
      file: shape.file,
      tensor: shape.name,
    });
  }
  return { rows, columns };
}

function bitsOf(words: number, columns: number, module: string): number {
  const bits = BITS.find((candidate) => Math.ceil((columns * candidate) / WORD_BITS) === words);
  if (bits === undefined) {
    throw new CheckpointError(
      `${words} words a row do not hold ${columns} codes of ${[...BITS].sort().join(', ')} bits`,
      { tensor: `${module}.weight_packed` },
    );
  }
  return bits;
}

/** The group of each column: consecutive ones, or as stored. */
async function columnGroups(
  files: TensorFiles,
  module: string,
  columns: number,
  groups: number,
): Promise<Int32Array> {
  const stored = `${module}.weight_g_idx`;
  if (!files.has(stored)) {
    const size = Math.ceil(columns / groups);
    return Int32Array.from({ length: columns }, (_, column) => Math.floor(column / size));
  }
  const tensor = files.find(stored);
  return wordsOf(await files.bytes(tensor, 0, tensor.length));
}

/** Columns that follow each other and are of one group. */
interface GroupRun {
  readonly group: number;
  readonly first: number;
  readonly end: number;
}

function groupRuns(groupOf: Int32Array): readonly GroupRun[] {
  const starts = [...groupOf.keys()].filter((at) => at === 0 || groupOf[at] !== groupOf[at - 1]);
  return starts.map((first, index) => ({
    group: groupOf[first] ?? 0,
    first,
    end: starts[index + 1] ?? groupOf.length,
  }));
}

async function zeroPoints(
  files: TensorFiles,
  module: string,
  bits: number,
  groups: number,
): Promise<(row: number, group: number) => number> {
  const stored = `${module}.weight_zero_point`;
  if (!files.has(stored)) return () => 0;
  const tensor = files.find(stored);
  const packed = wordsOf(await files.bytes(tensor, 0, tensor.length));
  const half = 2 ** (bits - 1);
  return (row, group) => codeAt(packed, group, groups, row, bits) - half;
}

/** Code `index` of a stream of bits that begins with word `first` and goes on every `stride` words; codes
 * may straddle two. */
export function codeAt(
  words: Int32Array,
  first: number,
  stride: number,
  index: number,
  bits: number,
): number {
  const bit = index * bits;
  const shift = bit % WORD_BITS;
  const at = first + ((bit - shift) / WORD_BITS) * stride;
  const mask = 2 ** bits - 1;
  const low = (words[at] ?? 0) >>> shift;
  if (shift + bits <= WORD_BITS) return low & mask;
  return (low | ((words[at + stride] ?? 0) << (WORD_BITS - shift))) & mask;
}

/** The first codes of a stream, as many as there is room for. */
export function unpackCodes(
  words: Int32Array,
  first: number,
  stride: number,
  bits: number,
  codes: Uint8Array,
): void {
  const count = codes.length;
  if (WORD_BITS % bits !== 0) {
    for (let index = 0; index < count; index += 1) {
      codes[index] = codeAt(words, first, stride, index, bits);
    }
    return;
  }
  const mask = 2 ** bits - 1;
  for (let index = 0, at = first; index < count; at += stride) {
    let word = words[at] ?? 0;
    const end = Math.min(count, index + WORD_BITS / bits);
    for (; index < end; index += 1, word >>>= bits) codes[index] = word & mask;
  }
}

/** 32-bit words as they stand in a file. */
export function wordsOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
