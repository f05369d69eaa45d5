import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { sep } from 'node:path';
import { Readable } from 'node:stream';
import {
  DamagedFileError,
  type EncryptedFileHeader,
  encodeHeader,
  HEADER_BYTES,
  parseHeader,
  verifyHeader,
} from '../encrypted-files/format.js';
import {
  contextOfObject,
  type DataKey,
  type EncryptionRequest,
  type KeyAccess,
  type ObjectKeys,
} from '../encrypted-files/object-keys.js';
import { readSegments, type SealedRun } from '../encrypted-files/read-segments.js';
import { ObjectStoreError } from '../errors.js';
import type { ByteRange } from '../object-store.js';
import { isAbsence, type Layout } from './layout.js';

/** The keys of a store that was opened with some. @throws ObjectStoreError InvalidRequest */
function requireKeys(keys: ObjectKeys | undefined): ObjectKeys {
  if (keys !== undefined) return keys;
  throw new ObjectStoreError(
    'InvalidRequest',
    'This store was opened without encryption keys, so it cannot read or write encrypted objects.',
  );
}

/** Makes the key of a new object. */
export function newDataKey(
  keys: ObjectKeys | undefined,
  bucket: string,
  key: string,
  request: EncryptionRequest,
): Promise<DataKey> {
  return requireKeys(keys).generateDataKey(request, contextOfObject(bucket, key));
}

/** Opens the key of an object again. */
export function openDataKey(
  keys: ObjectKeys | undefined,
  bucket: string,
  key: string,
  kept: Pick<DataKey, 'keyArn' | 'wrapped'>,
  access: KeyAccess,
): Promise<Buffer> {
  const context = contextOfObject(bucket, key);
  return requireKeys(keys).unwrapDataKey(kept.keyArn, kept.wrapped, context, access);
}

/** Writes the header of a file whose segments are all there. */
export async function writeHeader(file: FileHandle, dataKey: DataKey, size: number): Promise<void> {
  const { plaintext, keyArn, wrapped } = dataKey;
  await file.write(encodeHeader(plaintext, { keyArn, wrapped, size }), 0, HEADER_BYTES, 0);
}

/** The header of the file at a path; undefined for one that is not encrypted, or not there. */
export async function headerAt(
  path: string,
  stats: BigIntStats,
): Promise<EncryptedFileHeader | undefined> {
  if (stats.size < HEADER_BYTES) return undefined;
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  try {
    return parseHeader(await headerBytes(file));
  } finally {
    await file.close();
  }
}

async function headerBytes(file: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
  return buffer.subarray(0, bytesRead);
}

/** An encrypted object whose key has been opened. */
export interface OpenedObject extends SealedRun {
  /** What to call it. */
  readonly name: string;
}

/**
 * Opens the key of an encrypted object's file.
 *
 * @param path where the file really is: its key opens for the object that was stored there alone
 * @throws what the keys refuse with, DamagedFileError
 */
export async function openEncrypted(
  layout: Layout,
  keys: ObjectKeys | undefined,
  file: FileHandle,
  path: string,
  access: KeyAccess,
): Promise<OpenedObject> {
  const name = path.slice(layout.buckets.length + sep.length);
  const slash = name.indexOf(sep);
  const bytes = await headerBytes(file);
  const header = parseHeader(bytes);
  return naming(name, async () => {
    if (header === undefined)
      throw new DamagedFileError('its header is not the one that was stored');
    const bucket = name.slice(0, slash);
    const dataKey = await openDataKey(keys, bucket, name.slice(slash + 1), header, access);
    verifyHeader(dataKey, bytes, header, (await file.stat()).size);
    return { dataKey, name, position: HEADER_BYTES, size: header.size };
  });
}

/** The bytes in clear, or a range of them. Closes the file at its end. */
export function streamDecrypted(
  file: FileHandle,
  object: OpenedObject,
  range: ByteRange | undefined,
): Readable {
  let begun = false;
  async function* bytes(): AsyncGenerator<Buffer> {
    begun = true;
    try {
      const whole = { start: 0, end: object.size - 1 };
      if (object.size > 0) yield* readSegments(file, object, range ?? whole);
    } catch (error) {
      throw named(object.name, error);
    } finally {
      await file.close();
    }
  }
  const stream = Readable.from(bytes(), { objectMode: false });
  // A generator that nobody asked for anything has nothing to clean up by itself.
  stream.once('close', () => {
    if (!begun) void file.close();
  });
  return stream;
}

async function naming<T>(name: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    throw named(name, error);
  }
}

/** Says which object is damaged where only the bytes were known. */
function named(name: string, error: unknown): unknown {
  return error instanceof DamagedFileError
    ? new DamagedFileError(error.reason, JSON.stringify(name))
    : error;
}
