import type { TensorFiles } from './tensor-files.js';
import type { InputRounding } from './weight-source.js';

/** One way in which the weight of a linear module can be stored. */
export interface StoredForm {
  /** Whether this is the form of the module, judged by which tensors it has. */
  matches(files: TensorFiles, module: string): boolean;
  shape(
    files: TensorFiles,
    module: string,
  ): Promise<{ readonly rows: number; readonly columns: number }>;
  /** Decodes consecutive rows.
   * @param target `[count, columns]`. */
  read(
    files: TensorFiles,
    module: string,
    first: number,
    count: number,
    target: Float32Array,
  ): Promise<void>;
  /** How the layer's input is rounded when the model runs, if it is. */
  rounding?(files: TensorFiles, module: string): Promise<InputRounding>;
}
