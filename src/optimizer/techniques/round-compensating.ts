import { compensateBlock, transpose } from '../../kernels/index.js';
import { factorPart, PANEL_ROWS, type TriangularFactor } from '../linear-algebra/factor.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import type { GroupScales } from './choose-scales.js';
import type { FittedGrid } from './integer-grid.js';
import type { RoundedWeight } from './refine.js';
import { forEachSlab } from './slabs.js';

/** Columns whose influence on each other is worked out element by element; all others go through
 * products of matrices. A factor's panel has a power of two times as many rows. */
const BLOCK = 32;

/** Numbers to come close to, `[rows, columns]`, and the scales of the codes that do. */
export interface RoundingTarget {
  readonly weight: Matrix;
  readonly scales: GroupScales;
}

/**
 * Rounds weights that see one input column by column, each after moving it to where it makes up best for
 * the errors of those rounded before (GPTQ, Frantar et al., 2022, in its LDLQ form; see
 * `TriangularFactor`).
 *
 * @param targets as many columns each as the factor has.
 * @param factor of the Gram matrix with its rows and columns in `order`.
 * @param order the columns in the order in which they are rounded; their own order if undefined.
 * @returns the targets with their codes, `[rows, columns]`, columns in their own order.
 */
export async function roundCompensating(
  algebra: LinearAlgebra,
  grid: FittedGrid,
  targets: readonly RoundingTarget[],
  factor: TriangularFactor,
  order: Uint32Array | undefined,
  signal: AbortSignal,
): Promise<readonly RoundedWeight[]> {
  const columns = factor.size;
  const work = { algebra, grid, factor, order, signal };
  let rows = 0;
  const stacked = targets.map((target) => {
    const first = rows;
    rows += target.weight.rows;
    return { ...target, first, end: rows };
  });
  const codes = new Uint8Array(rows * columns);
  // The rows of all are worked on as those of one weight, so that few slabs are narrow.
  await forEachSlab(rows, signal, (first, end) => {
    const own = codes.subarray(first * columns, end * columns);
    return roundSlab(work, takeSlab(stacked, grid, first, end), own);
  });
  return stacked.map(({ weight, scales, first, end }) => ({
    ...{ grid, weight, scales },
    codes: codes.subarray(first * columns, end * columns),
  }));
}

interface Work {
  readonly algebra: LinearAlgebra;
  readonly grid: FittedGrid;
  readonly factor: TriangularFactor;
  readonly order: Uint32Array | undefined;
  readonly signal: AbortSignal;
}

/** A target that is stacked on others: its rows are `first` to `end`. */
interface StackedTarget extends RoundingTarget {
  readonly first: number;
  readonly end: number;
}

/** Rows of stacked targets, transposed. */
interface Slab {
  readonly width: number;
  /** `[columns, width]`. */
  readonly targets: Float32Array;
  /** `[groups, width]`, like the zero points. */
  readonly scales: Float32Array;
  readonly zeroPoints: Float32Array;
}

function takeSlab(
  stacked: readonly StackedTarget[],
  { groups }: FittedGrid,
  first: number,
  end: number,
): Slab {
  const width = end - first;
  const columns = stacked[0]?.weight.columns ?? 0;
  const slab: Slab = {
    width,
    targets: new Float32Array(columns * width),
    scales: new Float32Array(groups * width),
    zeroPoints: new Float32Array(groups * width),
  };
  for (const { weight, scales, ...place } of stacked) {
    const [start, stop] = [Math.max(first, place.first), Math.min(end, place.end)];
    if (start >= stop) continue;
    const take = (values: Float32Array, length: number, into: Float32Array): void => {
      const rows = values.subarray((start - place.first) * length, (stop - place.first) * length);
      transpose(rows, length, into.subarray(start - first), width);
    };
    take(weight.values, columns, slab.targets);
    take(scales.scales, groups, slab.scales);
    take(Float32Array.from(scales.zeroPoints), groups, slab.zeroPoints);
  }
  return slab;
}

/** @param codes where they go, `[width, columns]`. */
async function roundSlab(work: Work, slab: Slab, codes: Uint8Array): Promise<void> {
  const { algebra, grid, factor, order, signal } = work;
  const { width, ...lying } = slab;
  const columns = factor.size;
  // Errors of what is rounded, in the order of rounding.
  const errors = new Float32Array(columns * width);
  const turnedCodes = new Uint8Array(columns * width);
  const moves = new Float32Array(Math.min(columns, PANEL_ROWS) * width);

  /** Adds by how much columns `start` to `stop`, which are rounded, move columns `from` to `to`. */
  const move = (from: number, to: number, start: number, stop: number, into: Float32Array) =>
    algebra.multiply(
      factorPart(factor, { first: from, end: to }, { first: start, end: stop }),
      { rows: stop - start, columns: width, values: errors.subarray(start * width, stop * width) },
      { into, change: 'add' },
    );
  /** Rounds columns of a panel, half after half; `moves` is how far they are moved so far. */
  const roundColumns = async (from: number, to: number, moves: Float32Array): Promise<void> => {
    if (to - from <= BLOCK) {
      compensateBlock(grid, {
        ...{ width, ...lying, codes: turnedCodes, moves },
        columns: Uint32Array.from({ length: to - from }, (_, k) => order?.[from + k] ?? from + k),
        shares: factorPart(factor, { first: from, end: to }).values,
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
  transpose(turnedCodes, width, codes);
}

/** Half of so many columns, or a little more: a power of two times a block's. */
function halfOf(columns: number): number {
  let half = BLOCK;
  while (2 * half < columns) half *= 2;
  return half;
}
