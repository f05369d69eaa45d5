/** Consecutive rows of some modules' weights. Several modules take turns, row by row, as the gate and the
 * up projection of an expert do where one operator wants both. */
export interface MatrixPart {
  readonly modules: readonly { readonly module: string; readonly first: number }[];
  /** Of each module. */
  readonly rows: number;
}

/** A matrix that the graph has as one, `[rows = outputs, columns = inputs]`: parts one after the other. */
export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly parts: readonly MatrixPart[];
}

/** Rows of one module. */
export function rowsOf(module: string, first: number, rows: number): MatrixPart {
  return { modules: [{ module, first }], rows };
}

/** Puts parts of one width together. */
export function matrixOf(columns: number, parts: readonly MatrixPart[]): Matrix {
  const rows = parts.reduce((sum, part) => sum + part.rows * part.modules.length, 0);
  return { rows, columns, parts };
}
