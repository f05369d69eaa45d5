import type { Dtype } from '../../checkpoint/safetensors/dtypes.js';
import type { TensorInfo } from '../../checkpoint/safetensors/reader.js';
import type { Slice } from './slice.js';
import type { Stage } from './stages.js';

/** Part of a rank's tensor: a slice of one tensor of the checkpoint, its elements in order. */
export interface TensorPart {
  readonly tensor: TensorInfo;
  readonly slice: Slice;
  /** Where it begins in the rank's tensor, in bytes. */
  readonly at: number;
}

/** A tensor that a rank has. What no part fills is zeros. */
export interface RankTensor {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly parts: readonly TensorPart[];
  /** Its bytes, where they come from no tensor. */
  readonly constant?: Uint8Array;
}

/** What one rank has. */
export interface RankPlan {
  readonly pipelineRank: number;
  readonly tensorRank: number;
  readonly layers: Stage;
  /** Whether its stage holds the input embedding, and the output layer. */
  readonly embedding: boolean;
  readonly head: boolean;
  readonly tensors: readonly RankTensor[];
}
