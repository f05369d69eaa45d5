import { crc32 } from 'node:zlib';
import { CheckpointError } from '../errors.js';
import { decodeUtf8 } from '../json.js';
import {
  type ChunkedRank,
  type ChunkedTensor,
  type ChunkManifest,
  MANIFEST_FILE,
} from './manifest.js';
import { parseManifest } from './read-manifest.js';

/** Where chunked weights are: a folder, a prefix of a bucket, anything that can be read by ranges. */
export interface ChunkSource {
  /** A whole file; used for the manifest. */
  readFile(file: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** Up to `length` bytes of a file from `offset` on; fewer only where the file ends. */
  readRange(
    file: string,
    offset: number,
    length: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array>;
}

export interface ReadRankOptions {
  readonly signal?: AbortSignal;
  /** Chunks that are read at the same time. */
  readonly parallel?: number;
}

/** A rank's tensor with its bytes. */
export interface LoadedTensor extends ChunkedTensor {
  readonly data: Uint8Array;
}

/** Enough requests under way to fill a connection to an object store, and 64 MB of memory. */
const PARALLEL_CHUNKS = 8;

/** Reads the manifest.
 * @throws CheckpointError if it is missing or makes no sense. */
export async function readManifest(
  source: ChunkSource,
  signal?: AbortSignal,
): Promise<ChunkManifest> {
  return parseManifest(decodeUtf8(await source.readFile(MANIFEST_FILE, signal), MANIFEST_FILE));
}

/** Reads all that one rank has, and nothing else, each byte once: its chunks by ranges, several at a time,
 * each checked against its sum before it is used. Memory: the rank's tensors, and the chunks under way.
 * @throws CheckpointError for a rank that is not there, and a chunk that is missing or damaged. */
export async function readRank(
  source: ChunkSource,
  manifest: ChunkManifest,
  ranks: { readonly pipelineRank: number; readonly tensorRank: number },
  options: ReadRankOptions = {},
): Promise<ReadonlyMap<string, LoadedTensor>> {
  const rank = findRank(manifest, ranks);
  const loaded = rank.tensors.map(
    (tensor): LoadedTensor => ({ ...tensor, data: new Uint8Array(tensor.bytes) }),
  );
  const { chunkBytes } = manifest;
  const failure = new AbortController();
  const signal =
    options.signal === undefined
      ? failure.signal
      : AbortSignal.any([options.signal, failure.signal]);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < rank.chunks.length) {
      signal.throwIfAborted();
      const index = next;
      next += 1;
      const bytes = await readChunk(source, rank, index, chunkBytes, signal);
      spread(bytes, index * chunkBytes, loaded);
    }
  };
  const lanes = Array.from({ length: options.parallel ?? PARALLEL_CHUNKS }, () =>
    lane().catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  options.signal?.throwIfAborted();
  failure.signal.throwIfAborted();
  return new Map(loaded.map((tensor) => [tensor.name, tensor]));
}

function findRank(
  { ranks, tensorParallelDegree, pipelineParallelDegree }: ChunkManifest,
  { pipelineRank, tensorRank }: { readonly pipelineRank: number; readonly tensorRank: number },
): ChunkedRank {
  const found = ranks.find(
    (rank) => rank.pipelineRank === pipelineRank && rank.tensorRank === tensorRank,
  );
  if (found !== undefined) return found;
  throw new CheckpointError(
    `has no rank (${pipelineRank}, ${tensorRank}): its degrees are ${pipelineParallelDegree} and ${tensorParallelDegree}`,
    { file: MANIFEST_FILE },
  );
}

async function readChunk(
  source: ChunkSource,
  { file, bytes, chunks }: ChunkedRank,
  index: number,
  chunkBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const offset = index * chunkBytes;
  const length = Math.min(chunkBytes, bytes - offset);
  const chunk = await source.readRange(file, offset, length, signal);
  if (chunk.length !== length) {
    throw new CheckpointError(
      `its chunk ${index} has ${chunk.length} bytes instead of ${length}: the file is truncated`,
      { file },
    );
  }
  const sum = crc32(chunk).toString(16).padStart(8, '0');
  if (sum !== chunks[index]) {
    throw new CheckpointError(
      `its chunk ${index} has the checksum ${sum} instead of ${chunks[index]}: it is damaged`,
      { file },
    );
  }
  return chunk;
}

/** Copies a chunk's bytes to the tensors that lie in it, which are in the order of their offsets. */
function spread(chunk: Uint8Array, start: number, tensors: readonly LoadedTensor[]): void {
  const end = start + chunk.length;
  for (let at = firstEndingAfter(tensors, start); at < tensors.length; at += 1) {
    const tensor = tensors[at];
    if (tensor === undefined || tensor.offset >= end) return;
    const from = Math.max(tensor.offset, start);
    const to = Math.min(tensor.offset + tensor.bytes, end);
    tensor.data.set(chunk.subarray(from - start, to - start), from - tensor.offset);
  }
}

/** Index of the first tensor that has bytes at or behind a place. */
function firstEndingAfter(tensors: readonly LoadedTensor[], place: number): number {
  let low = 0;
  let high = tensors.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const tensor = tensors[middle];
    if (tensor !== undefined && tensor.offset + tensor.bytes <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}
