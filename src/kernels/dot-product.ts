import { gridKernels } from './grid-kernels.js';

/** Elements of each factor that are held at a time: both stay in the cache. */
const PIECE = 2 ** 14;

/** The sum of products of elements, in f64; over the length of the first. */
export function dotProduct(a: Float32Array, b: Float32Array): number {
  const kernels = gridKernels();
  const length = PIECE * Float32Array.BYTES_PER_ELEMENT;
  const [left, right] = kernels.layOut([length, length]);
  const [leftValues, rightValues] = [kernels.floats(left), kernels.floats(right)];
  let sum = 0;
  for (let first = 0; first < a.length; first += PIECE) {
    const end = Math.min(a.length, first + PIECE);
    leftValues.set(a.subarray(first, end));
    rightValues.set(b.subarray(first, end));
    sum += kernels.dotProduct(left, right, end - first);
  }
  return sum;
}
