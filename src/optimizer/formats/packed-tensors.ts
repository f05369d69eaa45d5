import type { PlannedTensor } from '../../checkpoint/safetensors/layout.js';
import { FLOAT_BYTES, type FloatType } from '../../kernels/index.js';

/** A tensor with its data, little-endian. */
export interface PackedTensor extends PlannedTensor {
  readonly data: Uint8Array;
}

/** What a weight is like that is to be encoded: all that its tensors' shapes depend on. */
export interface IntegerShape {
  readonly rows: number;
  readonly columns: number;
  readonly bits: number;
  readonly groupSize: number;
}

/** A weight that a format cannot hold. */
export class FormatError extends Error {
  override readonly name = 'FormatError';

  constructor(
    readonly module: string,
    readonly problem: string,
  ) {
    super(`${module}: ${problem}`);
  }
}

export const WORD_BITS = 32;

/** Ors a code's bits into a stream of 32-bit words, the lowest bits first; codes may straddle words. */
export function putBits(words: Uint32Array, bit: number, bits: number, code: number): void {
  const word = Math.floor(bit / WORD_BITS);
  const shift = bit % WORD_BITS;
  words[word] = (words[word] ?? 0) | (code << shift);
  if (shift + bits > WORD_BITS) {
    words[word + 1] = (words[word + 1] ?? 0) | (code >>> (WORD_BITS - shift));
  }
}

/** Puts the codes from `first` to `end` into words from `at` on, as one stream of bits that starts with
 * a word: what {@link putBits} does one by one. The words are overwritten. */
export function putStream(
  words: Uint32Array,
  at: number,
  bits: number,
  codes: Uint8Array,
  first: number,
  end: number,
): void {
  let next = at;
  let word = 0;
  let filled = 0;
  for (let i = first; i < end; i++) {
    const code = codes[i] ?? 0;
    word |= code << filled;
    filled += bits;
    if (filled < WORD_BITS) continue;
    words[next++] = word;
    filled -= WORD_BITS;
    // What did not fit; a shift by all bits of a code leaves nothing.
    word = code >>> (bits - filled);
  }
  if (filled > 0) words[next] = word;
}

/** Words as they stand in a file, on the little-endian machines that this runs on. */
export function wordBytes(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

const floatView = new DataView(new ArrayBuffer(4));

/** The bits of a number that `type` holds exactly. */
function floatBits(value: number, type: FloatType): number {
  floatView.setFloat32(0, value);
  const bits = floatView.getUint32(0);
  if (type === 'F32') return bits;
  if (type === 'BF16') return bits >>> 16;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  // Half precision's smallest normal number is 2^-14; below it there is no hidden bit.
  if (exponent < 113) return sign | Math.round(Math.abs(value) * 2 ** 24);
  return sign | ((exponent - 112) << 10) | ((bits >>> 13) & 0x3ff);
}

/** Numbers that `type` holds exactly, as they stand in a file. */
export function floatBytes(values: Float32Array, type: FloatType): Uint8Array {
  const size = FLOAT_BYTES[type];
  const bytes = Buffer.alloc(values.length * size);
  for (let i = 0; i < values.length; i++) {
    const bits = floatBits(values[i] ?? 0, type);
    if (size === 4) bytes.writeUInt32LE(bits, i * 4);
    else bytes.writeUInt16LE(bits, i * 2);
  }
  return bytes;
}

/** A matrix `[rows, columns]` of numbers turned round. */
export function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  const turned = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      turned[column * rows + row] = values[row * columns + column] ?? 0;
    }
  }
  return turned;
}

/** Puts data to planned tensors. */
export function withData(
  planned: readonly PlannedTensor[],
  data: readonly Uint8Array[],
): readonly PackedTensor[] {
  return planned.map((tensor, index) => {
    const bytes = data[index];
    if (bytes === undefined) throw new RangeError(`${tensor.name} has no data`);
    return { ...tensor, data: bytes };
  });
}
