import { type CodeGrid, gridKernels } from './grid-kernels.js';
import { SLAB_BYTES } from './limits.js';

/** How a group's range is searched. */
export interface RangeSearch {
  /** Weight of the squared error of each column. */
  readonly importance: Float32Array;
  /** Shares of the whole range that are tried. */
  readonly shares: readonly number[];
  /** Most times that the best scale for the codes found so far is computed. */
  readonly polishes: number;
}

/** Scales and zero points, `[rows, groups]`. */
export interface ChosenRanges {
  readonly scales: Float32Array;
  readonly zeroPoints: Uint8Array;
}

/** Doubles that the kernel may read or write beyond a group. */
const SPARE = 4;

/**
 * Scales and zero points for every group of consecutive columns of a weight `[rows, columns]`: those
 * that cover the whole of its range, or the best that a search finds.
 */
export function chooseRanges(
  grid: CodeGrid,
  values: Float32Array,
  columns: number,
  search: RangeSearch | undefined,
): ChosenRanges {
  const rows = values.length / columns;
  const groups = Math.ceil(columns / grid.groupSize);
  const scales = new Float32Array(rows * groups);
  const zeroPoints = new Uint8Array(rows * groups);
  const { importance = new Float32Array(0), shares = [], polishes = 0 } = search ?? {};
  const pieceRows = Math.max(1, Math.min(rows, Math.floor(SLAB_BYTES / (columns * 4))));
  const kernels = gridKernels();
  const [source, importanceAt, sharesAt, room, scalesAt, zeroPointsAt] = kernels.layOut([
    pieceRows * columns * Float32Array.BYTES_PER_ELEMENT,
    (columns + SPARE) * Float64Array.BYTES_PER_ELEMENT,
    shares.length * Float64Array.BYTES_PER_ELEMENT,
    (Math.min(columns, grid.groupSize) + SPARE) * Float64Array.BYTES_PER_ELEMENT,
    pieceRows * groups * Float32Array.BYTES_PER_ELEMENT,
    pieceRows * groups,
  ]);
  kernels.doubles(importanceAt).fill(0).set(importance);
  kernels.doubles(sharesAt).set(shares);
  const module = kernels.on(grid);
  for (let first = 0; first < rows; first += pieceRows) {
    const end = Math.min(rows, first + pieceRows);
    kernels.floats(source).set(values.subarray(first * columns, end * columns));
    module.chooseRanges(
      source.address,
      end - first,
      columns,
      grid.groupSize,
      importanceAt.address,
      sharesAt.address,
      shares.length,
      polishes,
      room.address,
      scalesAt.address,
      zeroPointsAt.address,
    );
    const count = (end - first) * groups;
    scales.set(kernels.floats(scalesAt).subarray(0, count), first * groups);
    zeroPoints.set(kernels.bytes(zeroPointsAt, count), first * groups);
  }
  return { scales, zeroPoints };
}
