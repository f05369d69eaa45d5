import { allFloats } from './byte-form.js';
import { wordsOf } from './packed-form.js';
import { matrixShape } from './plain-form.js';
import type { StoredForm } from './stored-form.js';

/** Eight codes of four bits to a word. */
const CODES = 8;

/** The field, counted from the lowest bits, in which each of eight neighbouring outputs is. */
const FIELDS = [0, 4, 1, 5, 2, 6, 3, 7] as const;

/** AutoAWQ's GEMM form: `qweight` `[inputs, outputs / 8]`, `qzeros` and `scales` for each group of
 * inputs. */
export const AUTOAWQ_FORM: StoredForm = {
  matches: (files, module) =>
    files.has(`${module}.qweight`) &&
    files.has(`${module}.qzeros`) &&
    !files.has(`${module}.g_idx`),
  shape: async (files, module) => {
    const { rows, columns } = matrixShape(files.find(`${module}.qweight`));
    return { rows: columns * CODES, columns: rows };
  },
  read: async (files, module, first, count, target) => {
    const weight = files.find(`${module}.qweight`);
    const { rows: inputs, columns: words } = matrixShape(weight);
    const codes = wordsOf(await files.bytes(weight, 0, weight.length));
    const zeros = files.find(`${module}.qzeros`);
    const zeroPoints = wordsOf(await files.bytes(zeros, 0, zeros.length));
    const scales = await allFloats(files, `${module}.scales`);
    const outputs = words * CODES;
    const groupSize = inputs / matrixShape(zeros).rows;
    for (let row = 0; row < count; row += 1) {
      const output = first + row;
      const word = Math.floor(output / CODES);
      const shift = (FIELDS[output % CODES] ?? 0) * 4;
      for (let input = 0; input < inputs; input += 1) {
        const group = Math.floor(input / groupSize);
        const code = ((codes[input * words + word] ?? 0) >>> shift) & 15;
        const zeroPoint = ((zeroPoints[group * words + word] ?? 0) >>> shift) & 15;
        const scale = scales[group * outputs + output] ?? Number.NaN;
        target[row * inputs + input] = (code - zeroPoint) * scale;
      }
    }
  },
};
