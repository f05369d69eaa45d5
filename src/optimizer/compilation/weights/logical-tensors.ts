import type { TensorInfo } from '../../../checkpoint/safetensors/reader.js';
import { findForm } from '../../forward/weights/stored-weights.js';
import type { TensorFiles } from '../../forward/weights/tensor-files.js';

/** Tensors by which a module's weight can be known to be stored as codes, and from what they stand for. */
const CODE_TENSORS = ['.weight_packed', '.qweight'] as const;

/** The tensors of a checkpoint as if nothing in it were quantized: for each weight that is stored as packed
 * codes one of its true shape, so that the forward pass can be described. */
export async function logicalTensors(
  tensors: ReadonlyMap<string, TensorInfo>,
  files: TensorFiles,
): Promise<ReadonlyMap<string, TensorInfo>> {
  const logical = new Map(tensors);
  for (const [name, tensor] of tensors) {
    const ending = CODE_TENSORS.find((candidate) => name.endsWith(candidate));
    if (ending === undefined) continue;
    const module = name.slice(0, -ending.length);
    const { rows, columns } = await findForm(files, module).shape(files, module);
    logical.set(`${module}.weight`, {
      ...tensor,
      name: `${module}.weight`,
      shape: [rows, columns],
    });
  }
  return logical;
}
