import type { CopyRangeResult } from './copy-range.js';
import { decodeFloats } from './decode.js';
import { FLOAT_BYTES, type FloatType } from './float-type.js';
import type { Kernels, Region } from './kernel-module.js';

/** The first NaN or infinity of a region, its index counted from there. */
export function findFirstNonFinite(
  kernels: Kernels,
  region: Region,
  type: FloatType,
): CopyRangeResult['nonFinite'] {
  const size = FLOAT_BYTES[type];
  const index = kernels.findNonFinite(type, region, region.length / size);
  if (index < 0) return undefined;
  const element = kernels.bytes(region).subarray(index * size, (index + 1) * size);
  return { index, kind: Number.isNaN(decodeFloats(element, type)[0]) ? 'NaN' : 'Inf' };
}
