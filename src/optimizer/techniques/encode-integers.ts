import type { Matrix } from '../linear-algebra/linear-algebra.js';
import type { GroupScales } from './choose-scales.js';
import type { EncodedIntegers } from './encoded-weight.js';
import { type FittedGrid, nearestCode } from './integer-grid.js';

/** Codes by rounding each weight to nearest. */
export function roundToNearest(
  grid: FittedGrid,
  { rows, columns, values }: Matrix,
  { scales, zeroPoints }: GroupScales,
): Uint8Array {
  const codes = new Uint8Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let group = 0; group < grid.groups; group++) {
      const scale = scales[row * grid.groups + group] ?? 0;
      const zeroPoint = zeroPoints[row * grid.groups + group] ?? 0;
      const end = row * columns + Math.min(columns, (group + 1) * grid.groupSize);
      for (let at = row * columns + group * grid.groupSize; at < end; at++) {
        codes[at] = nearestCode(grid, values[at] ?? 0, scale, zeroPoint);
      }
    }
  }
  return codes;
}

/** An encoded weight from its parts, columns in their own order. */
export function encodedIntegers(
  grid: FittedGrid,
  rows: number,
  columns: number,
  codes: Uint8Array,
  { scales, zeroPoints }: GroupScales,
): EncodedIntegers {
  const { bits, groupSize, symmetric, scaleType } = grid;
  return {
    kind: 'integers',
    bits,
    rows,
    columns,
    groupSize,
    symmetric,
    codes,
    scales,
    scaleType,
    zeroPoints,
  };
}
