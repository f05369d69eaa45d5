import { CheckpointError } from '../../../checkpoint/errors.js';
import { AUTOAWQ_FORM } from './autoawq-form.js';
import { allFloats, FLOAT8_FORM, INT8_FORM } from './byte-form.js';
import { GPTQ_FORM } from './gptq-form.js';
import { PACKED_FORM } from './packed-form.js';
import { PLAIN_FORM } from './plain-form.js';
import type { StoredForm } from './stored-form.js';
import type { TensorFiles } from './tensor-files.js';
import type { InputRounding, WeightMatrix, WeightSource } from './weight-source.js';

/** Every form that weights are read in; plain numbers are what is left. */
const FORMS: readonly StoredForm[] = [
  PACKED_FORM,
  AUTOAWQ_FORM,
  GPTQ_FORM,
  INT8_FORM,
  FLOAT8_FORM,
  PLAIN_FORM,
];

/** The weights of a checkpoint, in whatever form each of them is stored. They are decoded apart from the
 * kernels that encode them, by what the formats say. */
export class StoredWeights implements WeightSource {
  readonly #files: TensorFiles;

  constructor(files: TensorFiles) {
    this.#files = files;
  }

  has(tensor: string): boolean {
    return this.#files.has(tensor);
  }

  tensor(name: string): Promise<Float32Array> {
    return allFloats(this.#files, name);
  }

  async matrix(module: string): Promise<WeightMatrix> {
    const { rows } = await this.#form(module).shape(this.#files, module);
    return this.rows(module, 0, rows);
  }

  async rows(module: string, first: number, count: number): Promise<WeightMatrix> {
    const form = this.#form(module);
    const { columns } = await form.shape(this.#files, module);
    const values = new Float32Array(count * columns);
    await form.read(this.#files, module, first, count, values);
    return { rows: count, columns, values };
  }

  async rounding(module: string): Promise<InputRounding | undefined> {
    return this.#form(module).rounding?.(this.#files, module);
  }

  #form(module: string): StoredForm {
    return findForm(this.#files, module);
  }
}

/** The form that a module's weight is stored in.
 * @throws CheckpointError if it is in none that is known. */
export function findForm(files: TensorFiles, module: string): StoredForm {
  const form = FORMS.find((candidate) => candidate.matches(files, module));
  if (form === undefined) {
    throw new CheckpointError(`there is no weight of ${module} in a form that is known`);
  }
  return form;
}
