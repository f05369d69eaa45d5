import { decodeFloat8 } from '../../../kernels/index.js';
import { matrixShape } from './plain-form.js';
import type { StoredForm } from './stored-form.js';
import type { TensorFiles } from './tensor-files.js';

/** What each byte stands for, as int8 and as FP8 E4M3FN. */
const BYTES = {
  I8: Float32Array.from({ length: 256 }, (_, byte) => (byte << 24) >> 24),
  F8_E4M3: Float32Array.from({ length: 256 }, (_, byte) => decodeFloat8(byte)),
} as const;

/** One code a byte with one scale a row, or one for all: `int-quantized` and `float-quantized` of
 * compressed-tensors. Both run with rounded inputs: their scale is `input_scale` where that is stored,
 * otherwise each token's own. */
function byteForm(dtype: keyof typeof BYTES): StoredForm {
  return {
    matches: (files, module) =>
      files.has(`${module}.weight_scale`) &&
      files.has(`${module}.weight`) &&
      files.find(`${module}.weight`).dtype === dtype,
    shape: async (files, module) => matrixShape(files.find(`${module}.weight`)),
    read: async (files, module, first, count, target) => {
      const weight = files.find(`${module}.weight`);
      const { columns } = matrixShape(weight);
      const codes = await files.bytes(weight, first * columns, count * columns);
      const scales = await allFloats(files, `${module}.weight_scale`);
      const values = BYTES[dtype];
      for (let row = 0; row < count; row += 1) {
        const scale = (scales.length === 1 ? scales[0] : scales[first + row]) ?? Number.NaN;
        const end = (row + 1) * columns;
        for (let at = row * columns; at < end; at += 1) {
          target[at] = (values[codes[at] ?? 0] ?? Number.NaN) * scale;
        }
      }
    },
    rounding: async (files, module) => {
      const stored = `${module}.input_scale`;
      if (dtype === 'I8') return { kind: 'int8-token' };
      if (!files.has(stored)) return { kind: 'float8-token' };
      return { kind: 'float8-tensor', scale: (await allFloats(files, stored))[0] ?? Number.NaN };
    },
  };
}

export const INT8_FORM = byteForm('I8');
export const FLOAT8_FORM = byteForm('F8_E4M3');

export function allFloats(files: TensorFiles, name: string): Promise<Float32Array> {
  const tensor = files.find(name);
  return files.floats(
    tensor,
    0,
    tensor.shape.reduce((product, size) => product * size, 1),
  );
}
