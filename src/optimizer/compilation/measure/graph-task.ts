import type { MeasuredGraph } from '../../report/compilation-types.js';
/** What a process of its own does with one graph; JSON, so that it can be handed over. */
export type GraphTask = MeasureTask | OptimizeTask;

/** How much of a graph ONNX Runtime rewrites when it loads it. */
export type RuntimeLevel = 'disabled' | 'basic' | 'extended' | 'all';

export interface MeasureTask {
  readonly kind: 'measure';
  readonly path: string;
  readonly level: RuntimeLevel;
  readonly cache: CacheShape;
  readonly vocabulary: number;
  readonly prompt: readonly number[];
  readonly generate: number;
  /** Windows of a text that perplexity is measured on; none where it is not wanted. */
  readonly windows: readonly (readonly number[])[];
}

/** The key/value cache of every block. */
export interface CacheShape {
  readonly element: 'float32' | 'float16';
  /** Positions that there is room for. */
  readonly positions: number;
  readonly blocks: readonly { readonly heads: number; readonly headSize: number }[];
}

/** Loads a graph and saves it as ONNX Runtime rewrote it for this machine. */
export interface OptimizeTask {
  readonly kind: 'optimize';
  readonly path: string;
  readonly level: RuntimeLevel;
  readonly target: string;
  /** Name of the file of weights beside it. */
  readonly weights: string;
  /** What the two graphs are compared by. */
  readonly cache: CacheShape;
  readonly ids: readonly number[];
}

/** What came of measuring: all that is told of a graph but the sizes of its files. */
export type Measurements = Omit<MeasuredGraph, 'bytes'>;
