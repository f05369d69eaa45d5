import { constants, createReadStream, createWriteStream } from 'node:fs';
import { copyFile, type FileHandle, mkdir, open, opendir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HEADER_BYTES } from '../encrypted-files/format.js';
import type { EncryptionRequest, ObjectKeys } from '../encrypted-files/object-keys.js';
import { SegmentSealer } from '../encrypted-files/segment-sealer.js';
import { ObjectStoreError } from '../errors.js';
import type { StagedFolder, StageOptions } from '../object-store.js';
import type { ObjectLocation } from '../s3-uri.js';
import { newDataKey, openEncrypted, streamDecrypted, writeHeader } from './encrypted-objects.js';
import type { Layout } from './layout.js';
import { receiveBody } from './receiving.js';

/** Bytes read at once. */
const READ_CHUNK_BYTES = 1024 * 1024;

/** A file of a folder in the buckets. */
export interface SurveyedFile {
  /** Where it is named. */
  readonly path: string;
  /** Where it really is. */
  readonly real: string;
  /** Bytes on the disk. */
  readonly size: number;
  readonly encrypted: boolean;
}

/** A folder of the buckets, and all files below it. */
export interface SurveyedFolder {
  readonly root: string;
  readonly files: readonly SurveyedFile[];
}

/** Copies a folder of the buckets to `target`, where everything is in clear. */
export async function copyInClear(
  layout: Layout,
  keys: ObjectKeys | undefined,
  { root, files }: SurveyedFolder,
  target: string,
  options: StageOptions,
): Promise<StagedFolder> {
  let bytes = 0;
  for (const [index, file] of files.entries()) {
    options.signal?.throwIfAborted();
    const path = join(target, relative(root, file.path));
    await mkdir(dirname(path), { recursive: true });
    if (file.encrypted) {
      bytes += await decryptFile(layout, keys, file.real, path, options);
    } else {
      // Without a copy where the file system can share blocks.
      await copyFile(file.real, path, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
      bytes += file.size;
    }
    options.onProgress?.({ files: index + 1, bytes });
  }
  return { path: target, readOnly: false, files: files.length, bytes };
}

/** @returns bytes in clear */
async function decryptFile(
  layout: Layout,
  keys: ObjectKeys | undefined,
  source: string,
  target: string,
  options: StageOptions,
): Promise<number> {
  const file = await open(source, 'r');
  let stream: ReturnType<typeof streamDecrypted>;
  let size: number;
  try {
    const object = await openEncrypted(layout, keys, file, source, options);
    size = object.size;
    stream = streamDecrypted(file, object, undefined);
  } catch (error) {
    await file.close();
    throw error;
  }
  const { signal } = options;
  await pipeline(
    stream,
    createWriteStream(target, { flags: 'wx', highWaterMark: READ_CHUNK_BYTES }),
    signal === undefined ? {} : { signal },
  );
  return size;
}

/** Whence the keys of files come. */
export interface FolderEncryption {
  readonly keys: ObjectKeys | undefined;
  readonly request: EncryptionRequest;
  readonly signal: AbortSignal | undefined;
}

/**
 * Encrypts the files of a folder into another one, each under a key of its own.
 * @param location what the folder is going to be, which the keys are bound to
 */
export async function encryptFolder(
  encryption: FolderEncryption,
  folder: string,
  target: string,
  location: ObjectLocation,
): Promise<void> {
  const { signal } = encryption;
  await mkdir(target);
  for await (const entry of await opendir(folder)) {
    signal?.throwIfAborted();
    const from = join(folder, entry.name);
    const to = join(target, entry.name);
    const key = location.key === '' ? entry.name : `${location.key}/${entry.name}`;
    const place = { bucket: location.bucket, key };
    if (entry.isDirectory()) await encryptFolder(encryption, from, to, place);
    else if (entry.isFile()) await encryptFile(encryption, from, to, place);
    else {
      throw new ObjectStoreError(
        'InvalidRequest',
        `${JSON.stringify(from)} cannot be published: it is neither a plain file nor a folder`,
      );
    }
  }
}

async function encryptFile(
  { keys, request, signal }: FolderEncryption,
  source: string,
  target: string,
  { bucket, key }: ObjectLocation,
): Promise<void> {
  const dataKey = await newDataKey(keys, bucket, key, request);
  const file: FileHandle = await open(target, 'wx');
  try {
    const reading = await open(source, 'r');
    const expectedLength = (await reading.stat()).size;
    const body = createReadStream(source, { fd: reading, highWaterMark: READ_CHUNK_BYTES });
    const sealer = new SegmentSealer(dataKey.plaintext);
    const place = { file, position: HEADER_BYTES, sealer };
    const { size } = await receiveBody(body, place, [], { expectedLength, signal });
    await writeHeader(file, dataKey, size);
  } finally {
    await file.close();
  }
}
