import type { DeploymentInstance } from '../contract.js';
import type { TechniqueReport } from './step-report.js';

/** How the ranks' weights are laid out in the result. */
export type ShardLayout = 'sharded-state' | 'chunked';

/** One sharding step. Sizes are bytes, times are seconds. */
export interface ShardingStepReport extends TechniqueReport {
  readonly technique: 'sharding';
  readonly model: {
    /** `model_type` of its configuration. */
    readonly type: string;
    /** The table entry by which its tensors are divided. */
    readonly architecture: string;
    /** `quant_method` of its configuration; null for an unquantized model. */
    readonly quantization: string | null;
  };
  readonly degrees: {
    readonly tensorParallel: number;
    readonly pipelineParallel: number;
    /** Whether experts are handed out whole, rather than each divided among all ranks. */
    readonly expertParallel: boolean;
  };
  readonly layout: {
    readonly name: ShardLayout;
    /** Why it is this layout. */
    readonly reason: string;
    /** The version of vLLM whose parameters a sharded state has; null for the chunked layout. */
    readonly vllm: string | null;
  };
  readonly ranks: readonly RankReport[];
  /** Of the deployment instance, where it is known. */
  readonly deployment: DeploymentInstance | null;
  readonly verification: {
    /** Rows of ranks' tensors that were read back and compared with the source, drawn by a generator
     * with this seed. */
    readonly seed: number;
    readonly rows: number;
  };
}

/** What one rank holds. */
export interface RankReport {
  readonly pipelineRank: number;
  readonly tensorRank: number;
  /** The first block of its pipeline stage, and the one after its last. */
  readonly layers: readonly [number, number];
  /** Whether its stage holds the input embedding, and the output layer. */
  readonly embedding: boolean;
  readonly head: boolean;
  readonly tensors: number;
  /** Of its weights, padding among them. */
  readonly bytes: number;
  readonly files: readonly string[];
  /** Whether the weights fit one accelerator of the deployment instance, and the part of its memory
   * that they take; null where the instance is not known. */
  readonly fits: boolean | null;
  readonly memoryShare: number | null;
}
