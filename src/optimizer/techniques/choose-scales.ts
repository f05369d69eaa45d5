import { chooseRanges } from '../../kernels/index.js';
import type { Matrix } from '../linear-algebra/linear-algebra.js';
import type { FittedGrid } from './integer-grid.js';

/** Scales and zero points of a weight, `[rows, groups]`. */
export interface GroupScales {
  readonly scales: Float32Array;
  readonly zeroPoints: Uint8Array;
}

/**
 * How a group's range is found: `cover` takes the whole of it; `search` gives up its ends where that
 * makes the weighted squared error of the others smaller by more.
 */
export type RangeChoice = 'cover' | 'search';

/** Shares of the range that are tried. Below half of it even 2-bit codes lose more than they win. */
const SHARES = [1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5];
/** Times that the best scale for the codes found so far is computed. */
const POLISHES = 2;

/**
 * Scales for every group of consecutive columns.
 *
 * @param importance weight of the squared error of each column, for `search`.
 */
export function chooseScales(
  grid: FittedGrid,
  { columns, values }: Matrix,
  choice: RangeChoice,
  importance: Float32Array,
): GroupScales {
  const search = { importance, shares: SHARES, polishes: POLISHES };
  return chooseRanges(grid, values, columns, choice === 'search' ? search : undefined);
}
