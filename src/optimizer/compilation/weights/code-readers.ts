import { AUTOAWQ_FORM } from '../../forward/weights/autoawq-form.js';
import { allFloats, INT8_FORM } from '../../forward/weights/byte-form.js';
import { GPTQ_FORM } from '../../forward/weights/gptq-form.js';
import { PACKED_FORM, wordsOf } from '../../forward/weights/packed-form.js';
import type { StoredForm } from '../../forward/weights/stored-form.js';
import type { TensorFiles } from '../../forward/weights/tensor-files.js';
import { CompilationError } from '../errors.js';
import type { StoredCodes } from './stored-codes.js';

const WORD_BITS = 32;

/** Eight codes of AutoAWQ in a word: the field of each of eight neighbouring outputs. */
const AUTOAWQ_FIELDS = [0, 4, 1, 5, 2, 6, 3, 7] as const;

/** How the codes of one form are read. */
export interface CodeReader {
  readonly form: StoredForm;
  read(
    files: TensorFiles,
    module: string,
    shape: { readonly rows: number; readonly columns: number },
  ): Promise<StoredCodes>;
}

async function words(files: TensorFiles, name: string): Promise<Int32Array> {
  const tensor = files.find(name);
  return wordsOf(await files.bytes(tensor, 0, tensor.length));
}

function bitsOf(bits: number, module: string): 4 | 8 {
  if (bits === 4 || bits === 8) return bits;
  throw new CompilationError(
    `${module} has codes that are neither of 4 nor of 8 bits, with which ONNX Runtime multiplies`,
  );
}

/** compressed-tensors `pack-quantized`. */
export const readPacked: CodeReader = {
  form: PACKED_FORM,
  read: async (files, module, { rows, columns }) => {
    const packed = await words(files, `${module}.weight_packed`);
    const rowWords = packed.length / rows;
    const bits = bitsOf(
      [4, 8].find((width) => Math.ceil((columns * width) / WORD_BITS) === rowWords) ?? Number.NaN,
      module,
    );
    const fields = WORD_BITS / bits;
    const scales = await allFloats(files, `${module}.weight_scale`);
    const groups = scales.length / rows;
    const mask = 2 ** bits - 1;
    const stored = files.has(`${module}.weight_zero_point`)
      ? await words(files, `${module}.weight_zero_point`)
      : undefined;
    const zeroPoints = new Uint16Array(rows * groups).fill(2 ** (bits - 1));
    if (stored !== undefined) {
      for (let row = 0; row < rows; row += 1) {
        for (let group = 0; group < groups; group += 1) {
          const word = stored[Math.floor(row / fields) * groups + group] ?? 0;
          zeroPoints[row * groups + group] = (word >>> ((row % fields) * bits)) & mask;
        }
      }
    }
    const groupOf = files.has(`${module}.weight_g_idx`)
      ? await words(files, `${module}.weight_g_idx`)
      : undefined;
    return {
      ...{ rows, columns, bits, groups, groupOf, scales, zeroPoints },
      readRow: (row, into) => {
        for (let column = 0; column < columns; column += 1) {
          const word = packed[row * rowWords + Math.floor(column / fields)] ?? 0;
          into[column] = (word >>> ((column % fields) * bits)) & mask;
        }
      },
    };
  },
};

/** AutoAWQ's GEMM form: words along the outputs. */
export const readAutoAwq: CodeReader = {
  form: AUTOAWQ_FORM,
  read: async (files, module, { rows, columns }) => {
    const codes = await words(files, `${module}.qweight`);
    const zeros = await words(files, `${module}.qzeros`);
    const byGroup = await allFloats(files, `${module}.scales`);
    const groups = byGroup.length / rows;
    const rowWords = rows / AUTOAWQ_FIELDS.length;
    const field = (all: Int32Array, line: number, row: number): number => {
      const word = all[line * rowWords + Math.floor(row / AUTOAWQ_FIELDS.length)] ?? 0;
      return (word >>> ((AUTOAWQ_FIELDS[row % AUTOAWQ_FIELDS.length] ?? 0) * 4)) & 15;
    };
    return {
      ...{ rows, columns, bits: 4, groups, groupOf: undefined },
      scales: transposed(byGroup, groups, rows),
      zeroPoints: Uint16Array.from({ length: rows * groups }, (_, index) =>
        field(zeros, index % groups, Math.floor(index / groups)),
      ),
      readRow: (row, into) => {
        for (let column = 0; column < columns; column += 1)
          into[column] = field(codes, column, row);
      },
    };
  },
};

/** GPTQ's form: words along the inputs, zero points less one. */
export const readGptq: CodeReader = {
  form: GPTQ_FORM,
  read: async (files, module, { rows, columns }) => {
    const codes = await words(files, `${module}.qweight`);
    const bits = bitsOf((codes.length * WORD_BITS) / (rows * columns), module);
    const zeros = await words(files, `${module}.qzeros`);
    const byGroup = await allFloats(files, `${module}.scales`);
    const groups = byGroup.length / rows;
    const fields = WORD_BITS / bits;
    const mask = 2 ** bits - 1;
    const zeroWords = Math.ceil(rows / fields);
    return {
      ...{ rows, columns, bits, groups },
      groupOf: await words(files, `${module}.g_idx`),
      scales: transposed(byGroup, groups, rows),
      zeroPoints: Uint16Array.from({ length: rows * groups }, (_, index) => {
        const row = Math.floor(index / groups);
        const word = zeros[(index % groups) * zeroWords + Math.floor(row / fields)] ?? 0;
        return ((word >>> ((row % fields) * bits)) & mask) + 1;
      }),
      readRow: (row, into) => {
        for (let column = 0; column < columns; column += 1) {
          const word = codes[Math.floor(column / fields) * rows + row] ?? 0;
          into[column] = (word >>> ((column % fields) * bits)) & mask;
        }
      },
    };
  },
};

/** compressed-tensors `int-quantized`: one code a byte, one scale a row or one for all. */
export const readBytes: CodeReader = {
  form: INT8_FORM,
  read: async (files, module, { rows, columns }) => {
    const weight = files.find(`${module}.weight`);
    const bytes = await files.bytes(weight, 0, weight.length);
    const stored = await allFloats(files, `${module}.weight_scale`);
    const scales =
      stored.length === 1 ? new Float32Array(rows).fill(stored[0] ?? Number.NaN) : stored;
    return {
      ...{ rows, columns, bits: 8, groups: 1, groupOf: undefined, scales },
      zeroPoints: new Uint16Array(rows).fill(128),
      readRow: (row, into) => {
        for (let column = 0; column < columns; column += 1) {
          into[column] = (bytes[row * columns + column] ?? 0) ^ 0x80;
        }
      },
    };
  },
};

/** `[lines, columns]` to `[columns, lines]`. */
function transposed(values: Float32Array, lines: number, columns: number): Float32Array {
  return Float32Array.from(
    values,
    (_, index) => values[(index % lines) * columns + Math.floor(index / lines)] ?? Number.NaN,
  );
}
