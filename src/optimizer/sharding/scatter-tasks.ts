import { CheckpointError } from '../../checkpoint/errors.js';
import { DTYPE_BITS } from '../../checkpoint/safetensors/dtypes.js';
import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import type { ScatterRowsTask, ScatterTarget } from '../../kernels/index.js';
import type { PlacedTensor, RankFiles } from './shard-files.js';
import type { Slice } from './slice.js';

/** A place in a file that a slice of a tensor goes to. */
interface Destination {
  readonly path: string;
  readonly offset: number;
  readonly slice: Slice;
}

/** The tasks that fill the files of all ranks. */
export function tasksOf(ranks: readonly RankFiles[]): readonly ScatterRowsTask[] {
  return scatterTasks(ranks.flatMap(({ tensors }) => tensors));
}

/** One task for each tensor of the checkpoint that any rank has, which hands all ranks their slices. In
 * the order in which the tensors lie in the source, so that it is read from front to back, once.
 * @throws CheckpointError for a division that would split bytes. */
function scatterTasks(placed: Iterable<PlacedTensor>): readonly ScatterRowsTask[] {
  const destinations = new Map<TensorInfo, Destination[]>();
  for (const { tensor, path, offset } of placed) {
    for (const { tensor: source, slice, at } of tensor.parts) {
      const destination = { path, offset: offset + at, slice };
      const found = destinations.get(source);
      if (found === undefined) destinations.set(source, [destination]);
      else found.push(destination);
    }
  }
  const ordered = [...destinations].sort(([a], [b]) =>
    a.path === b.path ? a.offset - b.offset : a.path < b.path ? -1 : 1,
  );
  return ordered.flatMap(([tensor, wanted]) => {
    if (tensor.length === 0) return [];
    const targets = wanted.flatMap((destination) => targetsOf(tensor, destination));
    return targets.length === 0 ? [] : [taskOf(tensor, targets)];
  });
}

/** The bytes of a tensor as a matrix: its first dimension, and all others. */
function matrixOf(tensor: TensorInfo): { readonly rows: number; readonly rowBytes: number } {
  const [rows = 1] = tensor.shape;
  return { rows, rowBytes: tensor.length / rows };
}

function taskOf(tensor: TensorInfo, targets: readonly ScatterTarget[]): ScatterRowsTask {
  const { name, path, offset, length } = tensor;
  return { name, source: { path, offset, length }, ...matrixOf(tensor), targets };
}

function targetsOf(
  tensor: TensorInfo,
  { path, offset, slice }: Destination,
): readonly ScatterTarget[] {
  const { rows, rowBytes } = matrixOf(tensor);
  const whole = [{ first: 0, length: rowBytes }];
  const { axis, ranges } = slice;
  if (axis === undefined) return [{ path, offset, firstRow: 0, rows, columns: whole }];
  if (axis === 0) {
    let at = offset;
    return ranges.map(({ first, count }) => {
      const target = { path, offset: at, firstRow: first, rows: count, columns: whole };
      at += count * rowBytes;
      return target;
    });
  }
  const elementBytes = DTYPE_BITS[tensor.dtype] / 8;
  const columns = ranges.map(({ first, count }) => ({
    first: first * elementBytes,
    length: count * elementBytes,
  }));
  if (columns.some((range) => !Object.values(range).every(Number.isInteger))) {
    throw new CheckpointError('has elements of less than a byte, which would have to be split', {
      file: tensor.file,
      tensor: tensor.name,
    });
  }
  return [{ path, offset, firstRow: 0, rows, columns }];
}
