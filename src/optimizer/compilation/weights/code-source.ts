import type { CodeForm } from './code-form.js';
import type { CodedRows } from './encode-codes.js';

/** A weight that a checkpoint has as codes. */
export interface CodeSource {
  /** Consecutive rows in the form that the graph has them in, the very same numbers. */
  rows(first: number, count: number, form: CodeForm): CodedRows;
}

/** The weights that a checkpoint has as codes, by their modules. */
export interface CodeSources {
  open(module: string): Promise<CodeSource>;
}
