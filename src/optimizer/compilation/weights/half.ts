/** Numbers as IEEE 754 half precision, to the nearest, ties to even; beyond the largest they are
 * infinite.
 * @returns the bits of each. */
export function toHalves(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const halves = new Uint16Array(values.length);
  for (let index = 0; index < bits.length; index += 1) halves[index] = halfOf(bits[index] ?? 0);
  return halves;
}

/** Exponents of f32 that are the least normal and the least infinite half's. */
const LEAST_NORMAL = 113;
const INFINITE = 143;

/** @param bits of an f32. */
function halfOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  if (exponent >= INFINITE) return sign | 0x7c00;
  if (exponent >= LEAST_NORMAL) {
    // What rounding carries out of the mantissa goes into the exponent, where it belongs.
    return sign | rounded(((exponent - LEAST_NORMAL + 1) << 23) | mantissa, 13);
  }
  const shift = LEAST_NORMAL - exponent + 13;
  return shift > 24 + 1 ? sign : sign | rounded(0x800000 | mantissa, shift);
}

function rounded(bits: number, shift: number): number {
  const whole = bits >>> shift;
  const rest = bits & (2 ** shift - 1);
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && (whole & 1) === 1) ? whole + 1 : whole;
}
