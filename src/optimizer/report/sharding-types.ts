import type { VersionsReport } from './types.js';

/** How the ranks' weights are laid out in the result. */
export type ShardLayout = 'sharded-state' | 'chunked';

/** One sharding step. Sizes are bytes, times are seconds. */
export interface ShardingStepReport {
  readonly technique: 'sharding';
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** Every setting of the technique with the value that was used, by its `OPTION_` name. */
  readonly settings: Readonly<Record<string, string>>;
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
  readonly deployment: {
    readonly instanceType: string;
    readonly accelerator: string;
    readonly count: number;
    /** Gigabytes (10⁹ bytes) of one accelerator. */
    readonly memoryGb: number;
  } | null;
  readonly totals: {
    /** All tensors of the source, and of all ranks together. */
    readonly weightBytesBefore: number;
    readonly weightBytesAfter: number;
    /** All files of the source's folder, and of the result's without this report. */
    readonly folderBytesBefore: number;
    readonly folderBytesAfter: number;
  };
  /** What was done otherwise than a reader might expect, in sentences. */
  readonly notes: readonly string[];
  readonly verification: {
    /** Rows of ranks' tensors that were read back and compared with the source, drawn by a generator
     * with this seed. */
    readonly seed: number;
    readonly rows: number;
  };
  readonly performance: {
    readonly seconds: number;
    readonly secondsByPhase: Readonly<Record<string, number>>;
    /** Source bytes of the tensors that were not finished before, over the seconds of the sharding
     * phase. */
    readonly bytesPerSecond: number;
    /** Largest resident memory of the whole process with its threads. */
    readonly peakMemoryBytes: number;
  };
  readonly versions: VersionsReport;
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
