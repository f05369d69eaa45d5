import { gridKernels } from './grid-kernels.js';

/** Elements that are held at a time: they stay in the cache. */
const PIECE = 2 ** 15;

/** The index of the first element that is NaN or an infinity; undefined if there is none. */
export function findNonFinite(values: Float32Array): number | undefined {
  const kernels = gridKernels();
  const [region] = kernels.layOut([PIECE * Float32Array.BYTES_PER_ELEMENT]);
  const room = kernels.floats(region);
  for (let first = 0; first < values.length; first += PIECE) {
    const count = Math.min(PIECE, values.length - first);
    room.set(values.subarray(first, first + count));
    const found = kernels.findNonFinite(region, count);
    if (found >= 0) return first + found;
  }
  return undefined;
}
