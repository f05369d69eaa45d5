import { join } from 'node:path';
import {
  type ChunkedRank,
  type ChunkedTensor,
  chunkFileName,
  TENSOR_ALIGNMENT,
} from '../../../checkpoint/chunked/manifest.js';
import type { RankShare } from '../divide-model.js';
import type { RankPlan, RankTensor } from '../rank-plan.js';
import { type PlacedTensor, type RankFiles, rankTensorBytes } from '../shard-files.js';

/** One rank's tensors in the chunked layout: under the checkpoint's own names, nothing fused. */
export function chunkedTensors(share: RankShare): readonly RankTensor[] {
  return share.slices.map(({ module: { tensor }, slice }) => ({
    name: tensor.name,
    dtype: tensor.dtype,
    shape: slice.shape,
    parts: [{ tensor, slice, at: 0 }],
  }));
}

/** Lays a rank's tensors out one after the other, in one file. */
export function layOutChunked(rank: RankPlan, folder: string): RankFiles {
  const name = chunkFileName(rank.pipelineRank, rank.tensorRank);
  const path = join(folder, name);
  const tensors: PlacedTensor[] = [];
  let end = 0;
  for (const tensor of rank.tensors) {
    const offset = Math.ceil(end / TENSOR_ALIGNMENT) * TENSOR_ALIGNMENT;
    const length = rankTensorBytes(tensor);
    tensors.push({ tensor, path, offset, length });
    end = offset + length;
  }
  return { rank, files: [{ name, path, size: end, pieces: [] }], tensors };
}

/** What the manifest says about a rank.
 * @param checksums CRC-32 of each of its chunks. */
export function describeChunks(
  { rank, files, tensors }: RankFiles,
  checksums: readonly number[],
): ChunkedRank {
  const [file] = files;
  if (file === undefined) throw new Error('a rank has no file');
  return {
    pipelineRank: rank.pipelineRank,
    tensorRank: rank.tensorRank,
    layers: rank.layers,
    file: file.name,
    bytes: file.size,
    chunks: checksums.map((sum) => sum.toString(16).padStart(8, '0')),
    tensors: tensors.map(describeTensor),
  };
}

function describeTensor({ tensor, offset, length }: PlacedTensor): ChunkedTensor {
  const { name, dtype, shape, parts } = tensor;
  const [part] = parts;
  const described = { name, dtype, shape, offset, bytes: length };
  if (part?.slice.axis === undefined) return described;
  const { axis, ranges } = part.slice;
  return {
    ...described,
    slice: {
      of: part.tensor.shape,
      axis,
      ranges: ranges.map(({ first, count }): readonly [number, number] => [first, count]),
    },
  };
}
