import type { Matrix } from '../linear-algebra/linear-algebra.js';
import { coverRange, type FittedGrid, nearestCode, storedScale } from './integer-grid.js';

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
  { rows, columns, values }: Matrix,
  choice: RangeChoice,
  importance: Float32Array,
): GroupScales {
  const { groups, groupSize } = grid;
  const scales = new Float32Array(rows * groups);
  const zeroPoints = new Uint8Array(rows * groups);
  const found = { scale: 0, zeroPoint: 0 };
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < groups; group++) {
      const first = group * groupSize;
      const end = Math.min(columns, first + groupSize);
      const part = values.subarray(row * columns + first, row * columns + end);
      let least = 0;
      let greatest = 0;
      for (let i = 0; i < part.length; i++) {
        const weight = part[i] ?? 0;
        if (weight < least) least = weight;
        if (weight > greatest) greatest = weight;
      }
      if (choice === 'cover') coverRange(grid, least, greatest, found);
      else searchRange(grid, part, importance.subarray(first, end), least, greatest, found);
      scales[row * groups + group] = found.scale;
      zeroPoints[row * groups + group] = found.zeroPoint;
    }
  }
  return { scales, zeroPoints };
}

function searchRange(
  grid: FittedGrid,
  weights: Float32Array,
  importance: Float32Array,
  least: number,
  greatest: number,
  best: { scale: number; zeroPoint: number },
): void {
  const tried = { scale: 0, zeroPoint: 0 };
  let bestError = Number.POSITIVE_INFINITY;
  const consider = (): boolean => {
    const error = weightedError(grid, weights, importance, tried.scale, tried.zeroPoint, bestError);
    if (error >= bestError) return false;
    bestError = error;
    best.scale = tried.scale;
    best.zeroPoint = tried.zeroPoint;
    return true;
  };
  for (const share of SHARES) {
    coverRange(grid, least * share, greatest * share, tried);
    consider();
  }
  for (let polish = 0; polish < POLISHES && bestError > 0; polish++) {
    tried.scale = bestScaleForCodes(grid, weights, importance, best.scale, best.zeroPoint);
    tried.zeroPoint = best.zeroPoint;
    if (tried.scale === best.scale || !consider()) break;
  }
}

/** Σ importance · (w − ŵ)², or any larger number once it is above `limit`. */
function weightedError(
  grid: FittedGrid,
  weights: Float32Array,
  importance: Float32Array,
  scale: number,
  zeroPoint: number,
  limit: number,
): number {
  let error = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    const off = weight - (nearestCode(grid, weight, scale, zeroPoint) - zeroPoint) * scale;
    error += (importance[i] ?? 0) * off * off;
    if (error > limit) break;
  }
  return error;
}

/** The scale that fits the codes which `scale` gives best, by least squares. */
function bestScaleForCodes(
  grid: FittedGrid,
  weights: Float32Array,
  importance: Float32Array,
  scale: number,
  zeroPoint: number,
): number {
  let products = 0;
  let squares = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i] ?? 0;
    const steps = nearestCode(grid, weight, scale, zeroPoint) - zeroPoint;
    products += (importance[i] ?? 0) * steps * weight;
    squares += (importance[i] ?? 0) * steps * steps;
  }
  return products > 0 && squares > 0 ? storedScale(grid, products / squares) : scale;
}
