import { CheckpointError } from '../../../checkpoint/errors.js';
import type { TensorInfo } from '../../../checkpoint/safetensors/reader.js';
import type { TensorFiles } from './tensor-files.js';
import type { InputRounding, WeightMatrix, WeightSource } from './weight-source.js';

/** Weights that are stored as floating-point numbers. */
export class PlainWeights implements WeightSource {
  readonly #files: TensorFiles;

  constructor(files: TensorFiles) {
    this.#files = files;
  }

  has(tensor: string): boolean {
    return this.#files.has(tensor);
  }

  tensor(name: string): Promise<Float32Array> {
    const found = this.#files.find(name);
    const elements = found.shape.reduce((product, size) => product * size, 1);
    return this.#files.floats(found, 0, elements);
  }

  async matrix(module: string, into?: Float32Array): Promise<WeightMatrix> {
    const weight = this.#files.find(`${module}.weight`);
    const { rows, columns } = matrixShape(weight);
    return { rows, columns, values: await this.#files.floats(weight, 0, rows * columns, into) };
  }

  async rows(module: string, first: number, count: number): Promise<WeightMatrix> {
    const weight = this.#files.find(`${module}.weight`);
    const { columns } = matrixShape(weight);
    const values = await this.#files.floats(weight, first * columns, count * columns);
    return { rows: count, columns, values };
  }

  async rounding(): Promise<InputRounding | undefined> {
    return undefined;
  }
}

/** @throws CheckpointError if the tensor has not two dimensions. */
export function matrixShape({ shape, file, name }: TensorInfo): {
  readonly rows: number;
  readonly columns: number;
} {
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows === undefined || columns === undefined) {
    throw new CheckpointError(`has ${shape.length} dimensions instead of two`, {
      file,
      tensor: name,
    });
  }
  return { rows, columns };
}
