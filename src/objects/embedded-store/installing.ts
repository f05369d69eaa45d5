import type { BigIntStats } from 'node:fs';
import { realpath, rename, rm, rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolderDurably, syncFolder, systemErrorCode } from '../durable-files.js';
import { ObjectStoreError } from '../errors.js';
import type { WriteCondition } from '../served-object-store.js';
import { isPlainFolder, type Layout, objectPath, requireBucket, statIfThere } from './layout.js';
import { describeObject, type ObjectAttributes, removeSidecar, writeSidecar } from './sidecar.js';

/** A folder can be pruned between making it and renaming into it; more often than this it is not. */
const MAX_RENAME_TRIES = 8;

export interface Draft {
  /** A synced file on the file system of the data folder. */
  readonly path: string;
  readonly stats: BigIntStats;
  readonly attributes: ObjectAttributes;
}

/**
 * Puts a finished file into its place under `key` by one rename. The caller holds the key's lock.
 *
 * @throws ObjectStoreError PreconditionFailed, KeyConflict, NoSuchBucket
 */
export async function installObject(
  layout: Layout,
  bucket: string,
  key: string,
  draft: Draft,
  condition: WriteCondition | undefined,
): Promise<void> {
  const path = objectPath(layout, bucket, key);
  await checkInstallable(layout, bucket, key, condition);
  await writeSidecar(layout, bucket, key, draft.stats, draft.attributes);
  try {
    await renameInto(draft.path, path, key);
  } catch (error) {
    await removeSidecar(layout, bucket, key);
    throw error;
  }
}

/** Whether an object may be put under `key` now. */
export async function checkInstallable(
  layout: Layout,
  bucket: string,
  key: string,
  condition: WriteCondition | undefined,
): Promise<void> {
  await requireBucket(layout, bucket);
  const path = objectPath(layout, bucket, key);
  const stats = await statIfThere(path);
  if (stats?.isDirectory()) throw keyConflict(key);
  if (condition?.ifAbsent && stats !== undefined) {
    throw new ObjectStoreError(
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold: the object exists.',
    );
  }
  if (condition?.ifMatch !== undefined) {
    const etag =
      stats === undefined
        ? undefined
        : (await describeObject(layout, bucket, key, stats, path)).etag;
    if (etag !== condition.ifMatch) {
      throw new ObjectStoreError(
        'PreconditionFailed',
        'At least one of the pre-conditions you specified did not hold: the ETag is another one.',
      );
    }
  }
}

/**
 * Makes the folders above a file, durably.
 * @throws ObjectStoreError for a folder whose name an object has, and for one behind a symbolic link
 */
export async function makeParents(path: string, key: string): Promise<void> {
  const parent = dirname(path);
  try {
    await makeFolderDurably(parent);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOTDIR' || code === 'EEXIST') throw keyConflict(key);
    throw error;
  }
  if ((await realpath(parent)) !== parent) {
    throw new ObjectStoreError(
      'AccessDenied',
      `${JSON.stringify(key)} lies behind a symbolic link; nothing is written through links.`,
    );
  }
}

async function renameInto(from: string, path: string, key: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    await makeParents(path, key);
    try {
      await rename(from, path);
      break;
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'EISDIR' || code === 'ENOTDIR' || code === 'ENOTEMPTY') throw keyConflict(key);
      if (code !== 'ENOENT' || tries === MAX_RENAME_TRIES) throw error;
    }
  }
  await syncFolder(dirname(path));
}

/** Removes an object's file and the folders that it leaves empty. The caller holds the key's lock. */
export async function uninstallObject(layout: Layout, bucket: string, key: string): Promise<void> {
  const folder = await requireBucket(layout, bucket);
  const path = objectPath(layout, bucket, key);
  const parent = dirname(path);
  if (!(await isPlainFolder(parent))) return;
  try {
    if (key.endsWith('/')) await rmdir(path);
    else if ((await statIfThere(path))?.isDirectory()) return;
    else await rm(path, { force: true });
  } catch (error) {
    const code = systemErrorCode(error) ?? '';
    if (['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'].includes(code)) return;
    throw error;
  }
  await removeSidecar(layout, bucket, key);
  await pruneEmptyFolders(parent, folder);
}

/** Removes empty folders from `folder` upwards, up to but not including `root`. */
export async function pruneEmptyFolders(folder: string, root: string): Promise<void> {
  let current = folder;
  while (current.startsWith(`${root}/`)) {
    try {
      await rmdir(current);
    } catch (error) {
      const code = systemErrorCode(error) ?? '';
      if (['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(code)) return;
      throw error;
    }
    current = dirname(current);
  }
}

function keyConflict(key: string): ObjectStoreError {
  return new ObjectStoreError(
    'KeyConflict',
    `${JSON.stringify(key)} cannot be stored: objects are kept as plain files, and here one key would have to be a file and a folder at once.`,
  );
}
