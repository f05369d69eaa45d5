import { randomBytes, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { ChecksumAlgorithm } from '../checksums.js';
import { syncFolder } from '../durable-files.js';
import { HEADER_BYTES } from '../encrypted-files/format.js';
import type { DataKey, KeyAccess, ObjectKeys } from '../encrypted-files/object-keys.js';
import { SegmentSealer } from '../encrypted-files/segment-sealer.js';
import { noSuchKey, ObjectStoreError } from '../errors.js';
import type { Body, ByteRange, ObjectInfo } from '../object-store.js';
import type { OpenObject, ServedWriteOptions } from '../served-object-store.js';
import { newDataKey, openEncrypted, streamDecrypted, writeHeader } from './encrypted-objects.js';
import { checkInstallable, type Draft, installObject, makeParents } from './installing.js';
import type { KeyedLocks } from './keyed-locks.js';
import {
  isBareFolder,
  isPlainFolder,
  type Layout,
  objectPath,
  openFile,
  requireBucket,
  statIfThere,
} from './layout.js';
import { markerInfo } from './listing.js';
import { receiveBody } from './receiving.js';
import { describeObject, type ObjectAttributes } from './sidecar.js';

/** Bytes read at once when an object is sent; each download holds about two such pieces. */
const READ_CHUNK_BYTES = 256 * 1024;

/** S3's limit on one PUT or one part. */
const MAX_BODY_BYTES = 5 * 1024 ** 3;

/** What S3 keeps with an object when the client names no checksum. */
export const DEFAULT_CHECKSUM: ChecksumAlgorithm = 'CRC64NVME';

/**
 * Opens an object, and its key where it is encrypted.
 * @throws ObjectStoreError NoSuchBucket, NoSuchKey; what the keys refuse with
 */
export async function openObject(
  layout: Layout,
  keys: ObjectKeys | undefined,
  bucket: string,
  key: string,
  access: KeyAccess,
): Promise<OpenObject> {
  await requireBucket(layout, bucket);
  const named = objectPath(layout, bucket, key);
  if (key.endsWith('/')) return openMarker(named, key);
  const { handle, stats, path } = await openFile(layout, named, key);
  try {
    const info = await describeObject(layout, bucket, key, stats, path);
    const close = () => handle.close();
    if (info.encryption !== undefined) {
      const opened = await openEncrypted(layout, keys, handle, path, access);
      // The size that the key vouches for, whatever is noted elsewhere.
      const known = { ...info, size: opened.size };
      return { info: known, read: (range) => streamDecrypted(handle, opened, range), close };
    }
    return {
      info,
      read: (range?: ByteRange) => {
        if (info.size === 0) {
          void handle.close();
          return Readable.from([]);
        }
        return createReadStream(path, {
          fd: handle,
          start: range?.start ?? 0,
          end: range?.end ?? info.size - 1,
          highWaterMark: READ_CHUNK_BYTES,
        });
      },
      close,
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function openMarker(path: string, key: string): Promise<OpenObject> {
  const stats = await statIfThere(path);
  const isMarker = stats !== undefined && (await isPlainFolder(path)) && (await isBareFolder(path));
  if (!isMarker) throw noSuchKey(key);
  return {
    info: markerInfo(key, stats.mtimeMs),
    read: () => Readable.from([]),
    close: async () => undefined,
  };
}

/** What writing an object takes. */
export interface ObjectWriting {
  readonly layout: Layout;
  readonly keys: ObjectKeys | undefined;
  readonly locks: KeyedLocks;
}

/** Stores a body as an object: received aside, checked, synced, and then renamed into place. */
export async function writeObject(
  writing: ObjectWriting,
  bucket: string,
  key: string,
  body: Body,
  options: ServedWriteOptions,
): Promise<ObjectInfo> {
  const { layout, keys, locks } = writing;
  const path = objectPath(layout, bucket, key);
  checkLength(options.expectedLength);
  if (key.endsWith('/')) return writeMarker(writing, bucket, key, body, options);
  await checkInstallable(layout, bucket, key, options.condition);
  const dataKey =
    options.encryption === undefined
      ? undefined
      : await newDataKey(keys, bucket, key, options.encryption);
  const draft = join(layout.incoming, randomUUID());
  try {
    const finished = await receiveObject(draft, dataKey, body, options);
    options.signal?.throwIfAborted();
    await locks.run(`${bucket}/${key}`, () =>
      installObject(layout, bucket, key, finished, options.condition),
    );
    return describeObject(layout, bucket, key, finished.stats, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Receives a body into a new file, encrypted where there is a key, and syncs it. */
async function receiveObject(
  path: string,
  dataKey: DataKey | undefined,
  body: Body,
  options: ServedWriteOptions,
): Promise<Draft> {
  const checksum = options.checksum ?? DEFAULT_CHECKSUM;
  const file = await open(path, 'wx');
  try {
    const place = {
      file,
      position: dataKey === undefined ? 0 : HEADER_BYTES,
      sealer: dataKey === undefined ? undefined : new SegmentSealer(dataKey.plaintext),
    };
    const { size, digests } = await receiveBody(body, place, ['MD5', checksum], options);
    if (dataKey !== undefined) await writeHeader(file, dataKey, size);
    await file.sync();
    const attributes: ObjectAttributes = {
      etag: dataKey === undefined ? (digests.get('MD5')?.toString('hex') ?? '') : encryptedEtag(),
      headers: options.headers ?? {},
      metadata: options.metadata ?? {},
      checksum: {
        algorithm: checksum,
        type: 'FULL_OBJECT',
        value: digests.get(checksum)?.toString('base64') ?? '',
      },
      ...(dataKey === undefined ? {} : { encrypted: { keyArn: dataKey.keyArn, size } }),
    };
    return { path, stats: await file.stat({ bigint: true }), attributes };
  } finally {
    await file.close();
  }
}

/** As in S3, the ETag of an encrypted object is no MD5: that would give away what is in it. */
export function encryptedEtag(): string {
  return randomBytes(16).toString('hex');
}

/** A key that ends in a slash makes a folder, which can hold no bytes of its own. */
async function writeMarker(
  { layout, locks }: ObjectWriting,
  bucket: string,
  key: string,
  body: Body,
  options: ServedWriteOptions,
): Promise<ObjectInfo> {
  if (options.expectedLength > 0) {
    throw new ObjectStoreError(
      'InvalidArgument',
      `${JSON.stringify(key)} ends in a slash and so names a folder, which cannot hold data.`,
    );
  }
  await requireBucket(layout, bucket);
  // There is nothing in it, but its length and signatures are to be checked.
  for await (const chunk of body) {
    if (chunk.byteLength > 0) throw new ObjectStoreError('InvalidRequest', 'The body is too long.');
  }
  const path = objectPath(layout, bucket, key);
  return locks.run(`${bucket}/${key}`, async () => {
    await makeParents(join(path, 'x'), key);
    await syncFolder(path);
    const stats = await statIfThere(path);
    if (stats === undefined) throw noSuchKey(key);
    return markerInfo(key, stats.mtimeMs);
  });
}

/** @throws ObjectStoreError EntityTooLarge */
export function checkLength(length: number): void {
  if (length > MAX_BODY_BYTES) {
    throw new ObjectStoreError(
      'EntityTooLarge',
      `Your proposed upload exceeds the maximum allowed size of ${MAX_BODY_BYTES} bytes; send a larger object as a multipart upload.`,
    );
  }
}

/** Info without the bytes, and without their key. @throws ObjectStoreError NoSuchBucket, NoSuchKey */
export async function headObject(layout: Layout, bucket: string, key: string): Promise<ObjectInfo> {
  await requireBucket(layout, bucket);
  const named = objectPath(layout, bucket, key);
  if (key.endsWith('/')) return (await openMarker(named, key)).info;
  const { handle, stats, path } = await openFile(layout, named, key);
  try {
    return await describeObject(layout, bucket, key, stats, path);
  } finally {
    await handle.close();
  }
}
