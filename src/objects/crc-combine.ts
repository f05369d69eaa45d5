/** The checksums of which those of two neighbours give that of the whole. */
export type CombinableAlgorithm = 'CRC32' | 'CRC32C' | 'CRC64NVME';

interface Field {
  readonly bits: number;
  /** The reflected polynomial. */
  readonly polynomial: bigint;
}

const FIELDS: Record<CombinableAlgorithm, Field> = {
  CRC32: { bits: 32, polynomial: 0xedb88320n },
  CRC32C: { bits: 32, polynomial: 0x82f63b78n },
  CRC64NVME: { bits: 64, polynomial: 0x9a6c9329ac4bc9b5n },
};

/** Whether the checksum of a whole follows from those of its parts. */
export function isCombinable(algorithm: string): algorithm is CombinableAlgorithm {
  return algorithm in FIELDS;
}

export interface CrcPart {
  /** Big-endian. */
  readonly crc: Uint8Array;
  /** How many bytes it covers. */
  readonly length: number;
}

/**
 * The CRC of parts put one behind the other, from their own CRCs and lengths, without their bytes:
 * the CRC so far is multiplied by x^(8·length) in the field of the polynomial, and the next added.
 */
export function combineCrcs(algorithm: CombinableAlgorithm, parts: readonly CrcPart[]): Buffer {
  const field = FIELDS[algorithm];
  const factors = new Map<number, bigint>();
  let combined = 0n;
  for (const part of parts) {
    let factor = factors.get(part.length);
    if (factor === undefined) {
      factor = powerOfX(field, BigInt(part.length) * 8n);
      factors.set(part.length, factor);
    }
    combined =
      multiply(field, factor, combined) ^ BigInt(`0x${Buffer.from(part.crc).toString('hex')}`);
  }
  return Buffer.from(combined.toString(16).padStart(field.bits / 4, '0'), 'hex');
}

/** a·b modulo the polynomial, both bit-reflected (the highest bit is x^0). */
function multiply(field: Field, a: bigint, b: bigint): bigint {
  let product = 0n;
  let shifted = b;
  for (let bit = field.bits - 1; bit >= 0; bit -= 1) {
    if ((a >> BigInt(bit)) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ field.polynomial : shifted >> 1n;
  }
  return product;
}

function powerOfX(field: Field, exponent: bigint): bigint {
  let result = 1n << BigInt(field.bits - 1);
  let square = 1n << BigInt(field.bits - 2);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = multiply(field, result, square);
    square = multiply(field, square, square);
  }
  return result;
}
