import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import type { FloatType } from '../../kernels/index.js';
import { floatBytes } from '../formats/packed-tensors.js';
import { roundTo } from '../techniques/float-rounding.js';
import type { Fold } from '../techniques/fold.js';
import type { WorkingWeights } from './working-weights.js';

/** Changes a module outside a family, so that it makes up for the family's scaled input channels.
 * @returns the names of tensors that are stored in the result and are not what they were. */
export async function applyFold(fold: Fold, weights: WorkingWeights): Promise<readonly string[]> {
  const { module } = fold;
  if (fold.kind === 'norm') {
    weights.setTensor(`${module}.weight`, fold.weight);
    return [`${module}.weight`];
  }
  const { factors } = fold;
  const { rows, columns, values } = await weights.matrix(module);
  const byRow = fold.kind === 'rows';
  weights.setMatrix(module, {
    rows,
    columns,
    values: values.map(
      (value, at) => value * (factors[byRow ? Math.floor(at / columns) : at % columns] ?? 1),
    ),
  });
  const bias = `${module}.bias`;
  if (!byRow || !weights.has(bias)) return [];
  const before = await weights.tensor(bias);
  weights.setTensor(
    bias,
    before.map((value, row) => value * (factors[row] ?? 1)),
  );
  return [bias];
}

/** A changed tensor in the type that it had. The weights take on what rounding makes of it. */
export async function stored(
  { name, dtype }: TensorInfo,
  weights: WorkingWeights,
): Promise<Uint8Array> {
  if (!isFloat(dtype)) throw new Error(`${name} was changed, but is stored as ${dtype}`);
  const rounded = (await weights.tensor(name)).map((value) => roundTo(dtype, value));
  weights.setTensor(name, rounded);
  return floatBytes(rounded, dtype);
}

export function isFloat(type: string | undefined): type is FloatType {
  return type === 'F32' || type === 'F16' || type === 'BF16';
}
