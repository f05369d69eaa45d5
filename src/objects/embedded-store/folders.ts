import { randomUUID } from 'node:crypto';
import { opendir, realpath, rename, rm, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Readable } from 'node:stream';
import { isArchiveKey, unpackArchive } from '../archive.js';
import { makeFolderDurably, syncFile, syncFolder, systemErrorCode } from '../durable-files.js';
import type { KeyAccess, ObjectKeys } from '../encrypted-files/object-keys.js';
import { LocationNotEmptyError, NothingAtLocationError, ObjectStoreError } from '../errors.js';
import type { PublishOptions, StagedFolder, StageOptions } from '../object-store.js';
import { formatS3Uri, type ObjectLocation } from '../s3-uri.js';
import { holdsOnlyPartial, publishAroundPartial } from './around-partial.js';
import { copyInClear, encryptFolder, type SurveyedFile } from './encrypted-folders.js';
import { openEncrypted, streamDecrypted } from './encrypted-objects.js';
import { makeParents, pruneEmptyFolders } from './installing.js';
import {
  isBareFolder,
  isPlainFolder,
  type Layout,
  objectPath,
  openFile,
  requireBucket,
  statIfThere,
} from './layout.js';
import { isEncrypted } from './sidecar.js';

/** Deeper than this a tree is taken for a mistake or an attack. */
const MAX_FOLDER_DEPTH = 32;

/** The file or folder that a location names. */
async function pathOf(layout: Layout, location: ObjectLocation): Promise<string> {
  const bucket = await requireBucket(layout, location.bucket);
  return location.key === '' ? bucket : objectPath(layout, location.bucket, location.key);
}

/** Whether there is an object of that key, or anything in the folder. */
export async function locationExists(layout: Layout, location: ObjectLocation): Promise<boolean> {
  const path = await pathOf(layout, location);
  const stats = await statIfThere(path);
  if (stats === undefined) return false;
  return stats.isDirectory() ? !(await isBareFolder(path)) : true;
}

/** Whether a result can be published there: nothing is in its way, and partial results are not. */
export async function isVacant(layout: Layout, location: ObjectLocation): Promise<boolean> {
  if (!(await locationExists(layout, location))) return true;
  return holdsOnlyPartial(await pathOf(layout, location));
}

/**
 * Gives out the folder of a location as it is, or unpacks the archive that it names. A folder with
 * encrypted objects in it is copied, in clear.
 *
 * @throws NothingAtLocationError, ArchiveError, ObjectStoreError AccessDenied for a link that leads
 *   out of the buckets
 */
export async function stageEmbedded(
  layout: Layout,
  keys: ObjectKeys | undefined,
  location: ObjectLocation,
  target: string,
  options: StageOptions,
): Promise<StagedFolder> {
  const path = await pathOf(layout, location);
  const stats = await statIfThere(path);
  if (stats === undefined) throw new NothingAtLocationError(location);
  if (stats.isDirectory()) {
    if (!(await isPlainFolder(path))) throw linkRefused(location, path);
    const { files, encrypted } = await surveyFolder(layout, path, location, options);
    if (files.length === 0) throw new NothingAtLocationError(location, 'the folder is empty');
    if (encrypted) return copyInClear(layout, keys, { root: path, files }, target, options);
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    options.onProgress?.({ files: files.length, bytes });
    return { path, readOnly: true, files: files.length, bytes };
  }
  if (!isArchiveKey(location.key)) {
    throw new NothingAtLocationError(
      location,
      'it is a single object; name the folder of a model, or a .tar.gz',
    );
  }
  const archive = await openArchive(layout, keys, path, location.key, options);
  return unpackArchive(archive, formatS3Uri(location), target, options);
}

async function openArchive(
  layout: Layout,
  keys: ObjectKeys | undefined,
  named: string,
  key: string,
  access: KeyAccess,
): Promise<Readable> {
  const { handle, path, stats } = await openFile(layout, named, key);
  try {
    if (!(await isEncrypted(layout, path, stats))) {
      return handle.createReadStream({ highWaterMark: 1024 * 1024 });
    }
    const opened = await openEncrypted(layout, keys, handle, path, access);
    return streamDecrypted(handle, opened, undefined);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Finds a folder's files, and makes sure that every link in it stays inside the buckets. */
async function surveyFolder(
  layout: Layout,
  root: string,
  location: ObjectLocation,
  options: StageOptions,
): Promise<{ readonly files: readonly SurveyedFile[]; readonly encrypted: boolean }> {
  const files: SurveyedFile[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    if (depth > MAX_FOLDER_DEPTH) {
      throw new ObjectStoreError(
        'InvalidRequest',
        `${formatS3Uri(location)} has folders more than ${MAX_FOLDER_DEPTH} deep`,
      );
    }
    for await (const entry of await opendir(folder)) {
      options.signal?.throwIfAborted();
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        await visit(path, depth + 1);
        continue;
      }
      const real = entry.isSymbolicLink() ? await realpath(path).catch(() => '') : path;
      if (!real.startsWith(layout.buckets + sep)) throw linkRefused(location, path);
      const stats = await stat(real, { bigint: true });
      if (!stats.isFile()) throw linkRefused(location, path);
      const encrypted = await isEncrypted(layout, real, stats);
      files.push({ path, real, size: Number(stats.size), encrypted });
    }
  };
  await visit(root, 1);
  return { files, encrypted: files.some((file) => file.encrypted) };
}

function linkRefused(location: ObjectLocation, path: string): ObjectStoreError {
  return new ObjectStoreError(
    'AccessDenied',
    `${formatS3Uri(location)} cannot be used: ${JSON.stringify(path)} is no plain file (a link out of the buckets, to a folder or to nothing, or a special file)`,
  );
}

/**
 * Moves a folder into place by one rename, after its files have been encrypted where they are to be,
 * and have reached the disk.
 *
 * @throws LocationNotEmptyError when there is anything at the location; nothing is changed then
 */
export async function publishEmbedded(
  layout: Layout,
  keys: ObjectKeys | undefined,
  folder: string,
  location: ObjectLocation,
  options: PublishOptions,
): Promise<void> {
  if (options.encryption === undefined) return moveIntoPlace(layout, folder, location, options);
  if (!(await isVacant(layout, location))) throw new LocationNotEmptyError(location);
  const encrypted = `${folder}.${randomUUID()}`;
  try {
    const encryption = { keys, request: options.encryption, signal: options.signal };
    await encryptFolder(encryption, folder, encrypted, location);
    await moveIntoPlace(layout, encrypted, location, options);
  } finally {
    await rm(encrypted, { recursive: true, force: true });
  }
  await rm(folder, { recursive: true, force: true });
}

async function moveIntoPlace(
  layout: Layout,
  folder: string,
  location: ObjectLocation,
  options: PublishOptions,
): Promise<void> {
  const path = await pathOf(layout, location);
  if (!(await isVacant(layout, location))) throw new LocationNotEmptyError(location);
  await syncTree(folder, options.signal);
  options.signal?.throwIfAborted();
  if (location.key !== '') await makeParents(path, location.key);
  options.confirm?.();
  try {
    if (await holdsOnlyPartial(path)) await publishAroundPartial(layout, folder, path, location);
    else await rename(folder, path);
  } catch (error) {
    const code = systemErrorCode(error) ?? '';
    const bucket = await requireBucket(layout, location.bucket);
    await pruneEmptyFolders(join(path, '..'), bucket);
    if (['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(code)) {
      throw new LocationNotEmptyError(location);
    }
    throw error;
  }
  await syncFolder(join(path, '..'));
}

/** Flushes a tree of plain files to the disk. @throws ObjectStoreError when it holds anything else */
async function syncTree(folder: string, signal: AbortSignal | undefined): Promise<void> {
  for await (const entry of await opendir(folder)) {
    signal?.throwIfAborted();
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path, signal);
    else if (entry.isFile()) await syncFile(path);
    else {
      throw new ObjectStoreError(
        'InvalidRequest',
        `${JSON.stringify(path)} cannot be published: it is neither a plain file nor a folder`,
      );
    }
  }
  await syncFolder(folder);
}

/** Makes an empty bucket. @returns whether there was none before */
export async function makeBucket(folder: string): Promise<boolean> {
  if ((await statIfThere(folder)) !== undefined) return false;
  await makeFolderDurably(folder);
  return true;
}
