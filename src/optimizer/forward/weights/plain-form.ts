import { CheckpointError } from '../../../checkpoint/errors.js';
import type { TensorInfo } from '../../../checkpoint/safetensors/reader.js';
import type { StoredForm } from './stored-form.js';

/** Floating-point numbers as they are. */
export const PLAIN_FORM: StoredForm = {
  matches: (files, module) => files.has(`${module}.weight`),
  shape: async (files, module) => matrixShape(files.find(`${module}.weight`)),
  read: async (files, module, first, count, target) => {
    const weight = files.find(`${module}.weight`);
    const { columns } = matrixShape(weight);
    await files.floats(weight, first * columns, count * columns, target);
  },
};

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
