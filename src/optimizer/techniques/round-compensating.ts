import { compensateBlock } from '../../kernels/index.js';
import { factorRows, PANEL_ROWS, type TriangularFactor } from '../linear-algebra/factor.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import type { GroupScales } from './choose-scales.js';
import type { FittedGrid } from './integer-grid.js';
import { forEachSlab, transposeCodes, transposeRows } from './slabs.js';

/** Columns whose influence on each other is worked out element by element; all others go through
 * products of matrices. It divides the rows of a factor's panel. */
const BLOCK = 32;

/**
 * Rounds a weight column by column, each after moving it to where it makes up best for the errors of
 * those rounded before (GPTQ, Frantar et al., 2022, in its LDLQ form; see `TriangularFactor`).
 *
 * @param weight the numbers to come close to, `[rows, columns]`.
 * @param factor of the Gram matrix with its rows and columns in `order`.
 * @param order the columns in the order in which they are rounded; their own order if undefined.
 * @returns codes, `[rows, columns]`, columns in their own order.
 */
export async function roundCompensating(
  algebra: LinearAlgebra,
  grid: FittedGrid,
  weight: Matrix,
  factor: TriangularFactor,
  order: Uint32Array | undefined,
  scales: GroupScales,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const codes = new Uint8Array(weight.rows * weight.columns);
  await forEachSlab(weight.rows, signal, (first, end) =>
    roundSlab({ algebra, grid, weight, factor, order, scales, signal }, first, end, codes),
  );
  return codes;
}

interface Work {
  readonly algebra: LinearAlgebra;
  readonly grid: FittedGrid;
  readonly weight: Matrix;
  readonly factor: TriangularFactor;
  readonly order: Uint32Array | undefined;
  readonly scales: GroupScales;
  readonly signal: AbortSignal;
}

async function roundSlab(work: Work, first: number, end: number, codes: Uint8Array): Promise<void> {
  const { algebra, grid, weight, factor, order, signal } = work;
  const { columns } = weight;
  const width = end - first;
  const targets = transposeRows(weight, first, end);
  const scales = transposeRows(
    { rows: weight.rows, columns: grid.groups, values: work.scales.scales },
    first,
    end,
  );
  const ownZeroPoints = work.scales.zeroPoints.subarray(first * grid.groups, end * grid.groups);
  const zeroPoints = new Uint8Array(ownZeroPoints.length);
  transposeCodes(ownZeroPoints, width, grid.groups, zeroPoints);
  // Errors of what is rounded, in the order of rounding; zero where nothing is rounded yet.
  const errors = new Float32Array(columns * width);
  const slabCodes = new Uint8Array(columns * width);
  const products = new Float32Array(BLOCK * width);

  for (let start = 0; start < columns; start += BLOCK) {
    signal.throwIfAborted();
    const blockEnd = Math.min(columns, start + BLOCK);
    const rows = factorRows(factor, start, blockEnd);
    const moves = products.subarray(0, rows.rows * width);
    const before = {
      rows: rows.columns,
      columns: width,
      values: errors.subarray(0, rows.columns * width),
    };
    if (start > 0) await algebra.multiply(rows, before, { into: moves });
    compensateBlock(grid, {
      ...{ width, targets, scales, zeroPoints, codes: slabCodes },
      columns: Uint32Array.from({ length: rows.rows }, (_, k) => order?.[start + k] ?? start + k),
      moves: start > 0 ? moves : undefined,
      shares: sharesWithin(rows, start),
      errors: errors.subarray(start * width, blockEnd * width),
    });
  }
  transposeCodes(slabCodes, columns, width, codes.subarray(first * columns, end * columns));
}

/** The square of the factor's rows in which a block's columns move each other. */
function sharesWithin({ rows, columns, values }: Matrix, start: number): Float64Array {
  const shares = new Float64Array(rows * rows);
  for (let k = 0; k < rows; k++) {
    for (let j = 0; j < k; j++) shares[k * rows + j] = values[k * columns + start + j] ?? 0;
  }
  return shares;
}

if (PANEL_ROWS % BLOCK !== 0) throw new Error('blocks must not straddle panels');
