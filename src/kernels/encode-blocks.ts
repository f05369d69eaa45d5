import type { CodeForm } from './code-form.js';
import type { FileRange } from './file-range.js';
import type { FloatType } from './float-type.js';

/** A stored weight, `[rows, columns]`, or some of its rows. */
export interface BlockSource {
  /** The tensor's name, for error messages. */
  readonly name: string;
  readonly range: FileRange;
  readonly type: FloatType;
  /** Row of the tensor that the range begins with, for error messages. */
  readonly firstRow: number;
}

/** Weights of one shape to round to codes in blocks of columns. Rows of several take turns in what is written,
 * the first row of each before the second of any. Results go into files that exist; scales are F32, and
 * range lengths are exactly those that `CodeForm` gives. */
export interface EncodeBlocksTask {
  readonly sources: readonly BlockSource[];
  /** Of each source. */
  readonly rows: number;
  readonly columns: number;
  readonly form: CodeForm;
  /** In one file with the others. */
  readonly codes: FileRange;
  readonly scales: FileRange;
  /** Of forms that have them. */
  readonly zeroPoints?: FileRange;
}

/** Bytes of a scale. */
export const SCALE_BYTES = 4;
