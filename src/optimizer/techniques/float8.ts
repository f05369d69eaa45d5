import { decodeFloat8 } from '../../kernels/index.js';

/** The largest finite number of FP8 E4M3FN. */
export const LARGEST_FLOAT8 = 448;
const SIGN = 0x80;
const LARGEST_CODE = 0x7e;

/** Magnitudes of codes 0 … 0x7e, ascending; and the numbers halfway between neighbours. */
const MAGNITUDES = Float64Array.from({ length: LARGEST_CODE + 1 }, (_, code) => decodeFloat8(code));
const MIDPOINTS = MAGNITUDES.subarray(1).map((next, code) => (next + (MAGNITUDES[code] ?? 0)) / 2);

/** The code of the E4M3FN number nearest to `value`, ties to the even code, no further out than 448. */
export function encodeFloat8(value: number): number {
  const magnitude = Math.abs(value);
  let low = 0;
  let high = LARGEST_CODE;
  while (low < high) {
    const middle = (low + high) >> 1;
    const midpoint = MIDPOINTS[middle] ?? 0;
    const below = magnitude < midpoint || (magnitude === midpoint && middle % 2 === 0);
    if (below) high = middle;
    else low = middle + 1;
  }
  return value < 0 || Object.is(value, -0) ? low | SIGN : low;
}
