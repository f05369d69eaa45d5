import type { FileRange } from './file-range.js';

/** Bytes of each row of a source, from byte `first` of the row. */
export interface ColumnBytes {
  readonly first: number;
  readonly length: number;
}

/** One block of a source: some of its rows, and of each row some of its bytes. They stand in the target
 * row after row without gaps, each row's ranges side by side in the order given. */
export interface ScatterTarget {
  readonly path: string;
  /** Where the block begins in the file, which exists. */
  readonly offset: number;
  readonly firstRow: number;
  readonly rows: number;
  /** In the order of the source. */
  readonly columns: readonly ColumnBytes[];
}

/** A matrix of bytes whose blocks go to several places; each byte is read once, however many targets
 * take it. Blocks may overlap, and need not cover the source. */
export interface ScatterRowsTask {
  /** The tensor's name, for error messages. */
  readonly name: string;
  /** `rows · rowBytes` bytes, row after row. */
  readonly source: FileRange;
  readonly rows: number;
  readonly rowBytes: number;
  readonly targets: readonly ScatterTarget[];
}

/** Bytes of one row of a target. */
export function targetRowBytes({ columns }: Pick<ScatterTarget, 'columns'>): number {
  return columns.reduce((sum, { length }) => sum + length, 0);
}
