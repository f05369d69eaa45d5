import { CompilationError } from '../errors.js';
import type { FloatElement } from '../graph/element.js';
import { toHalves } from './half.js';

/** Largest number that half precision holds. */
const LARGEST_HALF = 65_504;

/** Numbers as they are stored.
 * @param name of the tensor, for messages.
 * @throws CompilationError for numbers that the type cannot hold. */
export function encodeFloats(
  values: Float32Array,
  element: FloatElement,
  name: string,
): Uint8Array {
  if (element === 'float32') {
    return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  }
  for (const value of values) {
    if (!(Math.abs(value) <= LARGEST_HALF)) {
      throw new CompilationError(
        `${name} has a weight of ${value}, beyond what fp16 holds; set OPTION_DTYPE=fp32`,
      );
    }
  }
  return new Uint8Array(toHalves(values).buffer);
}
