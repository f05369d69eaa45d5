import type { Dtype } from '../safetensors/dtypes.js';

/** Name of the manifest in a folder of chunked weights. */
export const MANIFEST_FILE = 'model.chunks.json';

/** What `format` says in it. */
export const MANIFEST_FORMAT = 'burnish-chunked-weights';

/** Raised when a member changes its meaning or goes; new members alone do not raise it. */
export const MANIFEST_VERSION = 1;

/** Bytes of every chunk of a rank's file but the last: large enough that a request costs little beside
 * its bytes, small enough that a rank has many to read at the same time. */
export const CHUNK_BYTES = 8 * 1024 * 1024;

/** Every tensor begins at a multiple of this in its rank's file, so that its elements can be used in
 * place. What lies between tensors is zeros. */
export const TENSOR_ALIGNMENT = 64;

/** `model.chunks.json`: the weights of a model as ranks of tensor and pipeline parallelism have them, one
 * file a rank, made to be read by ranges in parallel. Chunk `i` of a file is its bytes from
 * `i · chunkBytes` on; only the last is shorter. A tensor may lie in several chunks. */
export interface ChunkManifest {
  readonly format: typeof MANIFEST_FORMAT;
  readonly version: typeof MANIFEST_VERSION;
  /** The program that wrote it. */
  readonly framework: { readonly name: string; readonly version: string };
  readonly model: {
    /** `model_type` of its configuration, and how its tensors were divided. */
    readonly type: string;
    readonly architecture: string;
    /** `quant_method` of its configuration; null for an unquantized model. */
    readonly quantization: string | null;
  };
  readonly tensorParallelDegree: number;
  readonly pipelineParallelDegree: number;
  /** Whether experts are handed out whole, rather than each divided among all tensor ranks. */
  readonly expertParallel: boolean;
  readonly chunkBytes: number;
  /** By pipeline rank, then by tensor rank; all of them. */
  readonly ranks: readonly ChunkedRank[];
}

export interface ChunkedRank {
  readonly pipelineRank: number;
  readonly tensorRank: number;
  /** The first block of its pipeline stage, and the one after its last. */
  readonly layers: readonly [number, number];
  /** A file beside the manifest. */
  readonly file: string;
  /** Of the file. */
  readonly bytes: number;
  /** CRC-32 (of zlib, PNG and S3) of each chunk, as eight hexadecimal digits. */
  readonly chunks: readonly string[];
  /** In the order in which they lie in the file. */
  readonly tensors: readonly ChunkedTensor[];
}

/** A tensor under its name in the checkpoint, elements in safetensors' order and types. */
export interface ChunkedTensor {
  readonly name: string;
  readonly dtype: Dtype;
  /** Of what the rank has. */
  readonly shape: readonly number[];
  /** First byte in the rank's file. */
  readonly offset: number;
  readonly bytes: number;
  /** Which part of the checkpoint's tensor it is; absent where it is all of it. */
  readonly slice?: TensorSlice;
}

export interface TensorSlice {
  /** Shape of the checkpoint's tensor. */
  readonly of: readonly number[];
  /** The dimension that is divided. */
  readonly axis: number;
  /** First element and number of elements along that dimension, one range after the other; where the
   * rank's shape is longer, zeros follow. Elements are stored ones: words of packed codes, groups of
   * scales. */
  readonly ranges: readonly (readonly [number, number])[];
}

/** `model-pp-0-tp-1.chunks` */
export function chunkFileName(pipelineRank: number, tensorRank: number): string {
  return `model-pp-${pipelineRank}-tp-${tensorRank}.chunks`;
}
