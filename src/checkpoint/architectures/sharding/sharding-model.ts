import type { TensorInfo } from '../../safetensors/reader.js';
import type { ModuleDivision } from './module-division.js';

/** How a checkpoint's weights are stored: as they are, or by the method that its configuration names. */
export type StorageMethod = 'plain' | 'awq' | 'gptq' | 'compressed-tensors';

/** Where a module runs in a pipeline: with the input embedding, in a block, or with the output layer. */
export type ModulePlace = 'first' | 'last' | { readonly block: number };

/** One tensor of the checkpoint and what it belongs to. */
export interface ModuleTensor {
  readonly tensor: TensorInfo;
  /** The tensor's name without its last part. */
  readonly module: string;
  /** The last part: `weight`, `bias`, `qweight`. */
  readonly suffix: string;
  readonly division: ModuleDivision;
  readonly place: ModulePlace;
  /** The module's name counted from its block, with `{expert}` for an expert's number; counted from the
   * model outside of blocks. */
  readonly member: string;
  /** Number of the expert it belongs to. */
  readonly expert: number | undefined;
}

/** A checkpoint as something to be divided among ranks. */
export interface ShardingModel {
  /** The table entry's name. */
  readonly architecture: string;
  readonly method: StorageMethod;
  /** Whether groups of a layer's inputs may lie anywhere, so that every rank needs all their scales. */
  readonly scatteredGroups: boolean;
  readonly blocks: number;
  /** Experts of each block that has any; 0 where none has. */
  readonly experts: number;
  /** `model`, in front of the list of blocks. */
  readonly root: string;
  /** Name of the list of blocks. */
  readonly list: string;
  readonly multimodal: boolean;
  /** Whether the output layer shares the input embedding's weight. */
  readonly tied: boolean;
  /** In the order of the checkpoint's files. */
  readonly tensors: readonly ModuleTensor[];
  /** Tensors that are no part of the model as engines know it, and are left out. */
  readonly leftOut: readonly { readonly tensor: TensorInfo; readonly reason: string }[];
}
