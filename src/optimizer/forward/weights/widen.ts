import { decodeHalf, FLOAT_BYTES, type FloatType } from '../../../kernels/index.js';

/** Every half-precision number, by its bits. */
let halves: Float32Array | undefined;

function allHalves(): Float32Array {
  halves ??= Float32Array.from({ length: 2 ** 16 }, (_, bits) => decodeHalf(bits));
  return halves;
}

/** Little-endian floats as f32, exactly. `target` holds as many as `bytes` does. */
export function widenFloats(bytes: Uint8Array, type: FloatType, target: Float32Array): void {
  const count = bytes.byteLength / FLOAT_BYTES[type];
  if (count !== target.length) throw new RangeError(`${count} numbers for ${target.length} places`);
  if (type === 'F32') {
    new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
    return;
  }
  const narrow = new Uint16Array(count);
  new Uint8Array(narrow.buffer).set(bytes);
  if (type === 'BF16') {
    // BF16 is the upper half of an F32.
    const bits = new Uint32Array(target.buffer, target.byteOffset, count);
    for (let i = 0; i < count; i++) bits[i] = (narrow[i] ?? 0) << 16;
    return;
  }
  const table = allHalves();
  for (let i = 0; i < count; i++) target[i] = table[narrow[i] ?? 0] ?? Number.NaN;
}
