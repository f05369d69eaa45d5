import { compensateBlock } from '../../kernels/index.js';
import { factorPart, PANEL_ROWS, type TriangularFactor } from '../linear-algebra/factor.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import type { GroupScales } from './choose-scales.js';
import type { FittedGrid } from './integer-grid.js';
import { forEachSlab, transposeCodes, transposeRows } from './slabs.js';

/** Columns whose influence on each other is worked out element by element; all others go through
 * products of matrices. A factor's panel has a power of two times as many rows. */
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
  // Errors of what is rounded, in the order of rounding.
  const errors = new Float32Array(columns * width);
  const slabCodes = new Uint8Array(columns * width);
  const moves = new Float32Array(Math.min(columns, PANEL_ROWS) * width);

  /** Adds by how much columns `start` to `stop`, which are rounded, move columns `from` to `to`. */
  const move = (from: number, to: number, start: number, stop: number, into: Float32Array) =>
    algebra.multiply(
      factorPart(factor, { first: from, end: to }, { first: start, end: stop }),
      { rows: stop - start, columns: width, values: errors.subarray(start * width, stop * width) },
      { into, adding: true },
    );
  /** Rounds columns of a panel, half after half; `moves` is how far they are moved so far. */
  const roundColumns = async (from: number, to: number, moves: Float32Array): Promise<void> => {
    if (to - from <= BLOCK) {
      compensateBlock(grid, {
        ...{ width, targets, scales, zeroPoints, codes: slabCodes, moves },
        columns: Uint32Array.from({ length: to - from }, (_, k) => order?.[from + k] ?? from + k),
        shares: Float64Array.from(factorPart(factor, { first: from, end: to }).values),
        errors: errors.subarray(from * width, to * width),
      });
      return;
    }
    const middle = from + halfOf(to - from);
    const [before, after] = [(middle - from) * width, (to - from) * width];
    await roundColumns(from, middle, moves.subarray(0, before));
    signal.throwIfAborted();
    const others = moves.subarray(before, after);
    await move(middle, to, from, middle, others);
    await roundColumns(middle, to, others);
  };
  for (let start = 0; start < columns; start += PANEL_ROWS) {
    signal.throwIfAborted();
    const end = Math.min(columns, start + PANEL_ROWS);
    const own = moves.subarray(0, (end - start) * width);
    own.fill(0);
    if (start > 0) await move(start, end, 0, start, own);
    await roundColumns(start, end, own);
  }
  transposeCodes(slabCodes, columns, width, codes.subarray(first * columns, end * columns));
}

/** Half of so many columns, or a little more: a power of two times a block's. */
function halfOf(columns: number): number {
  let half = BLOCK;
  while (2 * half < columns) half *= 2;
  return half;
}
