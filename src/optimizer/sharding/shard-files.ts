import { basename, join } from 'node:path';
import { CheckpointError } from '../../checkpoint/errors.js';
import { tensorBytes } from '../../checkpoint/safetensors/dtypes.js';
import { layoutSafetensors } from '../../checkpoint/safetensors/layout.js';
import type { PlannedFile } from '../output/planned-files.js';
import type { RankPlan, RankTensor } from './rank-plan.js';

/** A rank's tensor and where it goes. */
export interface PlacedTensor {
  readonly tensor: RankTensor;
  readonly path: string;
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** What a rank has, and the files that hold it. */
export interface RankFiles {
  readonly rank: RankPlan;
  readonly files: readonly PlannedFile[];
  readonly tensors: readonly PlacedTensor[];
}

/** The same files in another folder. */
export function ranksIn(folder: string, ranks: readonly RankFiles[]): readonly RankFiles[] {
  return ranks.map(({ rank, files, tensors }) => ({
    rank,
    files: files.map((file) => ({ ...file, path: join(folder, file.name) })),
    tensors: tensors.map((tensor) => ({ ...tensor, path: join(folder, basename(tensor.path)) })),
  }));
}

/** Largest part of a sharded state, as vLLM's own example has it. */
const MAX_PART_BYTES = 5 * 1024 ** 3;

/** Lays a rank's tensors out in safetensors files, as vLLM's load format `sharded_state` looks for them.
 * @param maxPartBytes a part ends before the tensor that would make it larger.
 * @throws CheckpointError if two tensors have one name. */
export function layOutShardedState(
  rank: RankPlan,
  folder: string,
  maxPartBytes = MAX_PART_BYTES,
): RankFiles {
  const files: PlannedFile[] = [];
  const tensors: PlacedTensor[] = [];
  for (const [index, part] of splitParts(rank.tensors, maxPartBytes).entries()) {
    const name = `model-rank-${rank.tensorRank}-part-${index}.safetensors`;
    const path = join(folder, name);
    const layout = layoutSafetensors(part, { format: 'pt' }, name);
    const placed = part.map((tensor): PlacedTensor => {
      const found = layout.tensors.get(tensor.name);
      if (found === undefined) throw new Error(`${tensor.name} was not laid out`);
      return { tensor, path, offset: found.offset, length: found.length };
    });
    tensors.push(...placed);
    const constants = placed.flatMap(({ tensor: { constant }, offset }) =>
      constant === undefined ? [] : [{ offset, data: constant }],
    );
    const pieces = [{ offset: 0, data: layout.header }, ...constants];
    files.push({ name, path, size: layout.size, pieces });
  }
  return { rank, files, tensors };
}

/** @throws CheckpointError if its size is no number that can be told exactly. */
export function rankTensorBytes({ name, dtype, shape }: RankTensor): number {
  const bytes = tensorBytes(dtype, shape);
  if (bytes === undefined) {
    throw new CheckpointError(`[${shape.join(', ')}] elements of ${dtype} are not whole bytes`, {
      tensor: name,
    });
  }
  return bytes;
}

function splitParts(
  tensors: readonly RankTensor[],
  maxBytes: number,
): readonly (readonly RankTensor[])[] {
  const parts: RankTensor[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const tensor of tensors) {
    const size = rankTensorBytes(tensor);
    if (bytes + size > maxBytes) {
      parts.push([]);
      bytes = 0;
    }
    parts.at(-1)?.push(tensor);
    bytes += size;
  }
  return parts;
}
