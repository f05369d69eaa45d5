import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, opendir, realpath } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { systemErrorCode } from '../durable-files.js';
import { noSuchBucket, noSuchKey, ObjectStoreError } from '../errors.js';
import { bucketNameFault, keyFault } from '../names.js';

/** Where the embedded store keeps what, below the data folder. All paths are free of links. */
export interface Layout {
  /** `<bucket>/<key>`: the objects, plain files. */
  readonly buckets: string;
  /** What S3 keeps with an object and a plain file cannot. */
  readonly metadata: string;
  /** Bodies on their way in; nothing here outlives a restart. */
  readonly incoming: string;
  /** Multipart uploads under way. */
  readonly multipart: string;
  /** Notes of what is on its way from one place of the buckets to another. */
  readonly detours: string;
}

/** Finds the places of a data folder, and makes what is missing of them. */
export async function openLayout(dataDir: string): Promise<Layout> {
  await mkdir(dataDir, { recursive: true });
  const root = await realpath(dataDir);
  const layout = {
    buckets: join(root, 'buckets'),
    metadata: join(root, 'object-metadata'),
    incoming: join(root, 'object-uploads', 'incoming'),
    multipart: join(root, 'object-uploads', 'multipart'),
    detours: join(root, 'object-uploads', 'detours'),
  };
  for (const folder of Object.values(layout)) await mkdir(folder, { recursive: true });
  return { ...layout, buckets: await realpath(layout.buckets) };
}

/** @throws ObjectStoreError InvalidBucketName */
export function bucketFolder(layout: Layout, bucket: string): string {
  const fault = bucketNameFault(bucket);
  if (fault !== undefined) {
    throw new ObjectStoreError(
      'InvalidBucketName',
      `The specified bucket is not valid: ${JSON.stringify(bucket.slice(0, 80))}: ${fault}.`,
    );
  }
  return join(layout.buckets, bucket);
}

/** The folder of a bucket that exists. @throws ObjectStoreError NoSuchBucket */
export async function requireBucket(layout: Layout, bucket: string): Promise<string> {
  const folder = bucketFolder(layout, bucket);
  if (!(await isFolder(folder))) throw noSuchBucket(bucket);
  return folder;
}

/** Whether there is a folder (and not a link to one). */
export async function isFolder(path: string): Promise<boolean> {
  const stats = await statIfThere(path);
  return stats?.isDirectory() ?? false;
}

/** Whether there is a folder that no link leads to or through. */
export async function isPlainFolder(path: string): Promise<boolean> {
  try {
    return (await realpath(path)) === path && (await isFolder(path));
  } catch (error) {
    if (isAbsence(error) || systemErrorCode(error) === 'ELOOP') return false;
    throw error;
  }
}

/** Whether there is nothing at all in a folder. */
export async function isBareFolder(path: string): Promise<boolean> {
  const entries = await opendir(path);
  try {
    return (await entries.read()) === null;
  } finally {
    await entries.close();
  }
}

/** The plain file that stands for a key; for a key that ends in a slash, the folder. */
export function objectPath(layout: Layout, bucket: string, key: string): string {
  const folder = bucketFolder(layout, bucket);
  const fault = keyFault(key);
  if (fault !== undefined) {
    throw new ObjectStoreError(
      fault.tooLong ? 'KeyTooLongError' : 'InvalidArgument',
      `Objects are kept as plain files, and this key cannot be one: ${fault.reason}. Key: ${JSON.stringify(key.slice(0, 200))}`,
    );
  }
  return join(folder, key.endsWith('/') ? key.slice(0, -1) : key);
}

/** The file with an object's metadata: any key has one, whatever its length and segments. */
export function sidecarPath(layout: Layout, bucket: string, key: string): string {
  const name = createHash('sha256').update(key).digest('hex');
  return join(layout.metadata, bucket, name.slice(0, 2), `${name}.json`);
}

/** The status of a path itself, links not followed; undefined when there is nothing. */
export async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/** Whether an error of the file system says that there is no such file. */
export function isAbsence(error: unknown): boolean {
  const code = systemErrorCode(error);
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG';
}

/**
 * Where a file really is: itself, or what a link to a file inside the buckets points at. Undefined
 * when it is not there, is no file, leads out of the buckets, or is reached through a linked folder.
 */
export async function resolveFile(layout: Layout, path: string): Promise<string | undefined> {
  if (!(await isPlainFolder(dirname(path)))) return undefined;
  try {
    const real = await realpath(path);
    return real.startsWith(layout.buckets + sep) ? real : undefined;
  } catch (error) {
    if (isAbsence(error) || systemErrorCode(error) === 'ELOOP') return undefined;
    throw error;
  }
}

export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: BigIntStats;
  /** Where the file really is. */
  readonly path: string;
}

/** Opens an object's file for reading. @throws ObjectStoreError NoSuchKey */
export async function openFile(layout: Layout, path: string, key: string): Promise<OpenFile> {
  const real = await resolveFile(layout, path);
  if (real === undefined) throw noSuchKey(key);
  let handle: FileHandle;
  try {
    // Not blocking: a named pipe that someone put there must not hold the request.
    handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsence(error)) throw noSuchKey(key);
    throw error;
  }
  const stats = await handle.stat({ bigint: true });
  if (!stats.isFile()) {
    await handle.close();
    throw noSuchKey(key);
  }
  return { handle, stats, path: real };
}
