import { CheckpointError } from '../../errors.js';
import type { TensorInfo } from '../../safetensors/reader.js';
import type { Projection } from './forward-architecture.js';
import type { InputProjection } from './forward-model.js';

/** The tensors of a checkpoint by name. */
export type Tensors = ReadonlyMap<string, TensorInfo>;

/** What a module's weight is called behind the module's name. */
export const WEIGHT = '.weight';

/** The weight of a module. @throws CheckpointError if there is none. */
export function required(tensors: Tensors, module: string): TensorInfo {
  const found = tensors.get(module + WEIGHT);
  if (found === undefined) {
    throw new CheckpointError(
      `there is no tensor ${module}${WEIGHT}, which models of this type have`,
    );
  }
  return found;
}

/** Holds a module's weight to the shape `[rows, columns]` that configuration gives it.
 * @returns the module's name
 * @throws CheckpointError if it is missing or has another shape. */
export function checkShape(
  tensors: Tensors,
  module: string,
  rows: number,
  columns: number,
): string {
  const { shape, file, name } = required(tensors, module);
  if (shape.length !== 2 || shape[0] !== rows || shape[1] !== columns) {
    throw new CheckpointError(
      `has the shape [${shape.join(', ')}], but config.json makes it [${rows}, ${columns}]`,
      { file, tensor: name },
    );
  }
  return module;
}

/** A linear layer whose rows are those of its outputs, one after the other.
 * @param sizes rows of each output
 * @param parent module that `module` is named in
 * @throws CheckpointError if its weight is missing or has another shape. */
export function readProjection<Output extends string>(
  { module, outputs }: Projection<Output>,
  sizes: Readonly<Record<Output, number>>,
  columns: number,
  tensors: Tensors,
  parent: string,
): InputProjection<Output> {
  const named = outputs.map((name) => ({ name, size: sizes[name] }));
  const rows = named.reduce((sum, { size }) => sum + size, 0);
  return { module: checkShape(tensors, `${parent}.${module}`, rows, columns), outputs: named };
}
