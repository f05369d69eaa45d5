import type { CodeForm } from '../../../kernels/index.js';

/** Some rows of a weight as codes, scales and zero points. */
export interface CodedRows {
  readonly codes: Uint8Array;
  readonly scales: Float32Array;
  /** Undefined where the form has none. */
  readonly zeroPoints: Uint8Array | undefined;
}

/** A weight that a checkpoint has as codes. */
export interface CodeSource {
  /** Consecutive rows in the form that the graph has them in, the very same numbers. */
  rows(first: number, count: number, form: CodeForm): CodedRows;
}

/** The weights that a checkpoint has as codes, by their modules. */
export interface CodeSources {
  open(module: string): Promise<CodeSource>;
}
