import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { ObjectStoreError } from '../errors.js';

/**
 * The file of an encrypted object: a header of fixed size, and then the bytes in segments, each
 * sealed by itself, so that any range can be read and bytes stream in and out.
 *
 * | bytes | what |
 * | --- | --- |
 * | 0 to 15 | magic |
 * | 16 to 17 | length n of the description, little-endian |
 * | 18 to 17 + n | description: JSON with the key's ARN, the wrapped data key, the size in clear |
 * | the next 28 | nonce and tag: AES-256-GCM of nothing, with all bytes before as associated data |
 * | to 4095 | zeros |
 *
 * Segment i follows at 4096 + i · (segment + 28): a random nonce, the sealed bytes, the tag. Its
 * associated data is its number, so segments can't change places; the header vouches for the size, so
 * none can go missing; the data key belongs to this object alone, so none can come from another.
 * AES-GCM: NIST SP 800-38D. Random nonces are safe for 2³² segments under one key, which are 256 TiB.
 */
const MAGIC = Buffer.from('burnish-sealed-1');
const DESCRIPTION_AT = MAGIC.length + 2;

/** The header ends on a page, so that it can be written last without moving what follows. */
export const HEADER_BYTES = 4096;
/** Large against the 28 bytes that each costs, small against what a ranged read asks for. */
export const SEGMENT_BYTES = 64 * 1024;

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;
/** Bytes of a whole segment on the disk. */
export const SEALED_SEGMENT_BYTES = SEGMENT_BYTES + SEAL_BYTES;

const ALGORITHM = 'aes-256-gcm';

/** What the header of an encrypted file says. */
export interface EncryptedFileHeader {
  readonly keyArn: string;
  /** The data key, wrapped under the named key, in base64. */
  readonly wrapped: string;
  /** Bytes in clear. */
  readonly size: number;
}

/** The bytes of an encrypted file are not those that were written. */
export class DamagedFileError extends ObjectStoreError {
  override readonly name = 'DamagedFileError';

  /** @param file what to call it; left out where only the caller knows */
  constructor(
    readonly reason: string,
    file?: string,
  ) {
    super('InternalError', `${file ?? 'The encrypted object'} is damaged on the disk: ${reason}`);
  }
}

/** Bytes that `size` bytes in clear take up in segments. */
export function sealedLength(size: number): number {
  return size + Math.ceil(size / SEGMENT_BYTES) * SEAL_BYTES;
}

/** Where a segment begins, counted from the end of the header. */
export function segmentOffset(index: number): number {
  return index * SEALED_SEGMENT_BYTES;
}

/**
 * Seals one segment.
 * @param place the file's other names for places: parts that are not at theirs yet
 */
export function sealSegment(
  dataKey: Uint8Array,
  place: string,
  index: number,
  bytes: readonly Uint8Array[],
): Uint8Array[] {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, dataKey, nonce);
  cipher.setAAD(associatedData(place, index));
  const sealed = bytes.map((piece) => cipher.update(piece));
  cipher.final();
  return [nonce, ...sealed, cipher.getAuthTag()];
}

/** @throws DamagedFileError when it is not the segment that was sealed for that place */
export function openSegment(
  dataKey: Uint8Array,
  place: string,
  index: number,
  sealed: Uint8Array,
): Buffer {
  if (sealed.length < SEAL_BYTES) throw damaged(index);
  const decipher = createDecipheriv(ALGORITHM, dataKey, sealed.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(associatedData(place, index));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const bytes = decipher.update(sealed.subarray(NONCE_BYTES, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    throw damaged(index);
  }
  return bytes;
}

function associatedData(place: string, index: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeBigUInt64BE(BigInt(index));
  return Buffer.concat([number, Buffer.from(place)]);
}

function damaged(index: number): DamagedFileError {
  return new DamagedFileError(
    `the bytes from ${index * SEGMENT_BYTES} on are not those that were stored`,
  );
}

/** The header of a file, as it is written. */
export function encodeHeader(dataKey: Uint8Array, header: EncryptedFileHeader): Buffer {
  const { keyArn, wrapped, size } = header;
  const description = Buffer.from(JSON.stringify({ keyArn, wrapped, size }));
  const end = DESCRIPTION_AT + description.length;
  const bytes = Buffer.alloc(HEADER_BYTES);
  if (end + SEAL_BYTES > HEADER_BYTES) throw new RangeError('the name of the key is too long');
  MAGIC.copy(bytes);
  bytes.writeUInt16LE(description.length, MAGIC.length);
  description.copy(bytes, DESCRIPTION_AT);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, dataKey, nonce);
  cipher.setAAD(bytes.subarray(0, end));
  cipher.final();
  nonce.copy(bytes, end);
  cipher.getAuthTag().copy(bytes, end + NONCE_BYTES);
  return bytes;
}

/**
 * Reads the header of a file. Nothing vouches for it yet: `verifyHeader` does, with the data key.
 * @param bytes the first `HEADER_BYTES` of the file, or fewer where it is shorter
 * @returns undefined for a file that is not encrypted
 */
export function parseHeader(bytes: Buffer): EncryptedFileHeader | undefined {
  const description = descriptionOf(bytes);
  if (description === undefined) return undefined;
  try {
    const { keyArn, wrapped, size } = JSON.parse(description.toString()) as Record<string, unknown>;
    const usable =
      typeof keyArn === 'string' &&
      typeof wrapped === 'string' &&
      typeof size === 'number' &&
      Number.isSafeInteger(size) &&
      size >= 0;
    return usable ? { keyArn, wrapped, size } : undefined;
  } catch {
    return undefined;
  }
}

function descriptionOf(bytes: Buffer): Buffer | undefined {
  if (bytes.length < HEADER_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined;
  }
  const end = DESCRIPTION_AT + bytes.readUInt16LE(MAGIC.length);
  return end + SEAL_BYTES > HEADER_BYTES ? undefined : bytes.subarray(DESCRIPTION_AT, end);
}

/**
 * Makes sure that a header, and the length of the file that it heads, are as they were written.
 * @throws DamagedFileError
 */
export function verifyHeader(
  dataKey: Uint8Array,
  bytes: Buffer,
  header: EncryptedFileHeader,
  fileBytes: number,
): void {
  const end = DESCRIPTION_AT + (descriptionOf(bytes)?.length ?? 0);
  const nonce = bytes.subarray(end, end + NONCE_BYTES);
  const decipher = createDecipheriv(ALGORITHM, dataKey, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(bytes.subarray(0, end));
  decipher.setAuthTag(bytes.subarray(end + NONCE_BYTES, end + SEAL_BYTES));
  try {
    decipher.final();
  } catch {
    throw new DamagedFileError('its header is not the one that was stored');
  }
  const expected = HEADER_BYTES + sealedLength(header.size);
  if (fileBytes !== expected) {
    throw new DamagedFileError(`it has ${fileBytes} bytes instead of ${expected}`);
  }
}
