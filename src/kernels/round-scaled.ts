import { type CodeGrid, gridKernels } from './grid-kernels.js';

/** What the rows of `roundScaled` are a multiple of. */
export const SCALED_ROW_UNIT = 8;

/** Rows of a weight, transposed: `[columns, rows]`. */
export interface TurnedRows {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/**
 * `W − Q(W·s)/s`, with Q rounding to nearest, the ranges of groups taken whole, and s the factors of
 * the columns; transposed, like the weight.
 *
 * @param errors where it goes, `[columns, rows]`.
 * @throws RangeError for rows that are no multiple of SCALED_ROW_UNIT.
 */
export function roundScaled(
  grid: CodeGrid,
  { rows, columns, values }: TurnedRows,
  factors: Float32Array,
  errors: Float32Array,
): void {
  if (rows % SCALED_ROW_UNIT !== 0) {
    throw new RangeError(`${rows} rows are no multiple of ${SCALED_ROW_UNIT}`);
  }
  const kernels = gridKernels();
  const [source, target, factorsAt, inversesAt] = kernels.layOut([
    values.byteLength,
    values.byteLength,
    columns * Float64Array.BYTES_PER_ELEMENT,
    columns * Float64Array.BYTES_PER_ELEMENT,
  ]);
  kernels.floats(source).set(values);
  const inverses = kernels.doubles(inversesAt);
  kernels.doubles(factorsAt).set(factors);
  for (let c = 0; c < columns; c++) inverses[c] = 1 / (factors[c] ?? 1);
  kernels
    .on(grid)
    .roundScaled(
      source.address,
      columns,
      rows,
      grid.groupSize,
      factorsAt.address,
      inversesAt.address,
      target.address,
    );
  errors.set(kernels.floats(target));
}
