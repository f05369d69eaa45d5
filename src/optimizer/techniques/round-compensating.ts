import { RoundingSlab } from '../../kernels/index.js';
import { factorPart, PANEL_ROWS, type TriangularFactor } from '../linear-algebra/factor.js';
import type { LinearAlgebra, Matrix } from '../linear-algebra/linear-algebra.js';
import type { GroupScales } from './choose-scales.js';
import type { FittedGrid } from './integer-grid.js';
import type { RoundedWeight } from './refine.js';
import { forEachSlab, SLAB_ROWS } from './slabs.js';

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
  const work = { algebra, factor, order, signal };
  let rows = 0;
  const stacked = targets.map((target) => {
    const first = rows;
    rows += target.weight.rows;
    return { ...target, first, end: rows };
  });
  const codes = new Uint8Array(rows * columns);
  // The rows of all are worked on as those of one weight, so that few slabs are narrow.
  const most = Math.min(SLAB_ROWS, RoundingSlab.mostRows(grid, columns));
  const panel = Math.min(columns, PANEL_ROWS);
  const roundRows = async (first: number, end: number): Promise<void> => {
    const slab = new RoundingSlab(grid, end - first, columns, panel);
    try {
      for (const target of stacked) loadRows(slab, target, grid.groups, first, end);
      await roundSlab(work, slab);
      slab.takeCodes(codes.subarray(first * columns, end * columns));
    } finally {
      slab.release();
    }
  };
  await forEachSlab(rows, signal, roundRows, most);
  return stacked.map(({ weight, scales, first, end }) => ({
    ...{ grid, weight, scales },
    codes: codes.subarray(first * columns, end * columns),
  }));
}

interface Work {
  readonly algebra: LinearAlgebra;
  readonly factor: TriangularFactor;
  readonly order: Uint32Array | undefined;
  readonly signal: AbortSignal;
}

/** A target that is stacked on others: its rows are `first` to `end`. */
interface StackedTarget extends RoundingTarget {
  readonly first: number;
  readonly end: number;
}

/** Loads what rows `first` to `end` of a slab have of a target. */
function loadRows(
  slab: RoundingSlab,
  { weight, scales: ranges, ...place }: StackedTarget,
  groups: number,
  first: number,
  end: number,
): void {
  const [start, stop] = [Math.max(first, place.first), Math.min(end, place.end)];
  if (start >= stop) return;
  const [from, to] = [start - place.first, stop - place.first];
  slab.load(start - first, {
    weights: weight.values.subarray(from * weight.columns, to * weight.columns),
    scales: ranges.scales.subarray(from * groups, to * groups),
    zeroPoints: ranges.zeroPoints.subarray(from * groups, to * groups),
  });
}

async function roundSlab(work: Work, slab: RoundingSlab): Promise<void> {
  const { algebra, factor, order, signal } = work;
  const { stride, errors, moves } = slab;
  const columns = factor.size;
  const rowsOf = (values: Float32Array, first: number, end: number): Float32Array =>
    values.subarray(first * stride, end * stride);

  /** Adds by how much columns `start` to `stop`, which are rounded, move columns `from` to `to`. */
  const move = (from: number, to: number, start: number, stop: number, into: Float32Array) =>
    algebra.multiply(
      factorPart(factor, { first: from, end: to }, { first: start, end: stop }),
      { rows: stop - start, columns: stride, values: rowsOf(errors, start, stop) },
      { into, change: 'add' },
    );
  /** Rounds columns of the panel from `top` on, half after half. */
  const roundColumns = async (top: number, from: number, to: number): Promise<void> => {
    if (to - from <= BLOCK) {
      slab.round({
        columns: Uint32Array.from({ length: to - from }, (_, k) => order?.[from + k] ?? from + k),
        first: from,
        movesFrom: from - top,
        shares: factorPart(factor, { first: from, end: to }).values,
      });
      return;
    }
    const middle = from + halfOf(to - from);
    await roundColumns(top, from, middle);
    signal.throwIfAborted();
    await move(middle, to, from, middle, rowsOf(moves, middle - top, to - top));
    await roundColumns(top, middle, to);
  };
  for (let start = 0; start < columns; start += PANEL_ROWS) {
    signal.throwIfAborted();
    const end = Math.min(columns, start + PANEL_ROWS);
    const own = rowsOf(moves, 0, end - start).fill(0);
    if (start > 0) await move(start, end, 0, start, own);
    await roundColumns(start, start, end);
  }
}

/** Half of so many columns, or a little more: a power of two times a block's. */
function halfOf(columns: number): number {
  let half = BLOCK;
  while (2 * half < columns) half *= 2;
  return half;
}
