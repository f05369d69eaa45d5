import { allFloats } from './byte-form.js';
import { codeAt, unpackCodes, wordsOf } from './packed-form.js';
import { matrixShape } from './plain-form.js';
import type { StoredForm } from './stored-form.js';
import type { TensorFiles } from './tensor-files.js';

const WORD_BITS = 32;

/** GPTQ's form: `qweight` `[inputs · bits / 32, outputs]` with the codes of one output as a stream of bits
 * down its column, `qzeros` with zero points less one, `scales`, and the group of each input. */
export const GPTQ_FORM: StoredForm = {
  matches: (files, module) => files.has(`${module}.qweight`) && files.has(`${module}.g_idx`),
  shape: storedShape,
  read: async (files, module, first, count, target) => {
    const { rows: outputs, columns: inputs } = await storedShape(files, module);
    const weight = files.find(`${module}.qweight`);
    const codes = wordsOf(await files.bytes(weight, 0, weight.length));
    const bits = (matrixShape(weight).rows * WORD_BITS) / inputs;
    const zeros = files.find(`${module}.qzeros`);
    const zeroPoints = wordsOf(await files.bytes(zeros, 0, zeros.length));
    const zeroWords = matrixShape(zeros).columns;
    const scales = await allFloats(files, `${module}.scales`);
    const index = files.find(`${module}.g_idx`);
    const groupOf = wordsOf(await files.bytes(index, 0, index.length));
    const groups = scales.length / outputs;
    const column = new Uint8Array(inputs);
    const columnZeros = new Int32Array(groups);
    const columnScales = new Float32Array(groups);
    for (let row = 0; row < count; row += 1) {
      const output = first + row;
      for (let group = 0; group < groups; group += 1) {
        columnZeros[group] = codeAt(zeroPoints, group * zeroWords, 1, output, bits) + 1;
        columnScales[group] = scales[group * outputs + output] ?? Number.NaN;
      }
      unpackCodes(codes, output, outputs, bits, column);
      for (let input = 0; input < inputs; input += 1) {
        const group = groupOf[input] ?? 0;
        const steps = (column[input] ?? 0) - (columnZeros[group] ?? 0);
        target[row * inputs + input] = steps * (columnScales[group] ?? Number.NaN);
      }
    }
  },
};

async function storedShape(
  files: TensorFiles,
  module: string,
): Promise<{ readonly rows: number; readonly columns: number }> {
  const [columns = 0] = files.find(`${module}.g_idx`).shape;
  return { rows: matrixShape(files.find(`${module}.qweight`)).columns, columns };
}
