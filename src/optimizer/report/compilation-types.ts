import type { DeploymentInstance } from '../contract.js';
import type { TechniqueReport } from './step-report.js';

/** One compilation step. Sizes are bytes, times are seconds. */
export interface CompilationStepReport extends TechniqueReport {
  readonly technique: 'compilation';
  readonly model: {
    /** `model_type` of its configuration. */
    readonly type: string;
    /** The table entry by which the graph was built. */
    readonly architecture: string;
  };
  readonly graph: {
    /** From the result's folder. */
    readonly file: string;
    readonly weights: string;
    readonly dtype: string;
    /** What the token embeddings and the output layer are: `fp32`, `fp16`, `int8` or `int4`. */
    readonly embeddings: string;
    readonly outputLayer: string;
    readonly nodes: Readonly<Record<string, number>>;
    /** Linear layers whose codes are those of the source. */
    readonly keptLayers: number;
    /** Whether ONNX Runtime's rewriting for this machine is saved in it. */
    readonly optimizedForThisMachine: boolean;
  };
  readonly memory: MemoryReport;
  /** Null where it was not measured; a note says why. */
  readonly measured: {
    readonly compiled: MeasuredGraph;
    /** The same model as an fp32 graph of separate operators, loaded and run without any rewriting; null
     * where it would not fit this machine. */
    readonly baseline: MeasuredGraph | null;
    readonly promptTokens: number;
    readonly generatedTokens: number;
    readonly text: string | null;
    readonly textTokens: number;
  } | null;
}

/** Whether the model runs where it is to be deployed. */
export interface MemoryReport {
  /** Longest sequence, and sequences at a time. */
  readonly positions: number;
  readonly batch: number;
  readonly weightBytes: number;
  /** Of the key/value cache for a whole batch of longest sequences, and for one position of one. */
  readonly cacheBytes: number;
  readonly cacheBytesPerPosition: number;
  /** Null where the instance is not known, and so the three members after it. */
  readonly deployment: DeploymentInstance | null;
  /** Whether weights and cache fit one accelerator, the part of its memory that they take, and the largest
   * batch of longest sequences that fits. */
  readonly fits: boolean | null;
  readonly memoryShare: number | null;
  readonly largestBatch: number | null;
}

/** What a graph was measured to do on this machine's processors, in a process of its own. */
export interface MeasuredGraph {
  /** Graph and weights. */
  readonly bytes: number;
  readonly loadSeconds: number;
  /** From the prompt to the first token of the answer. */
  readonly firstTokenSeconds: number;
  readonly promptTokensPerSecond: number;
  readonly generationTokensPerSecond: number;
  /** Largest resident memory of the process. */
  readonly peakMemoryBytes: number;
  /** `exp` of the mean negative log-likelihood over consecutive windows of the text; null where it was not
   * asked for. */
  readonly perplexity: number | null;
}
