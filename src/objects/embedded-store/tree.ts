import { join } from 'node:path';
import { compareUtf8 } from '../byte-order.js';
import type { FolderCache } from './folder-cache.js';
import { isPlainFolder } from './layout.js';

export interface WalkOptions {
  readonly prefix: string;
  /** Only keys behind this one; empty for all. */
  readonly startAfter: string;
  /** Yield a folder below the prefix as `path/` and do not go into it. */
  readonly foldFolders: boolean;
}

/**
 * The keys in a bucket's folder in UTF-8 byte order, read lazily: folders that lie before
 * `startAfter` or beside the prefix are never opened. An empty folder is the key `path/`.
 */
export async function* walkKeys(
  cache: FolderCache,
  bucketFolder: string,
  options: WalkOptions,
): AsyncGenerator<string> {
  const slash = options.prefix.lastIndexOf('/') + 1;
  const base = options.prefix.slice(0, slash);
  // Segments that no key has ("..", empty ones) have no objects below them.
  if (!base.split('/').slice(0, -1).every(isOrdinary)) return;
  const folder = join(bucketFolder, base.slice(0, -1));
  if (!(await isPlainFolder(folder))) return;
  const names = await cache.names(folder);
  if (names.length === 0) {
    const isMarker = base !== '' && base === options.prefix;
    if (isMarker && compareUtf8(base, options.startAfter) > 0) yield base;
    return;
  }
  yield* walkFolder(cache, folder, base, names, options);
}

function isOrdinary(segment: string): boolean {
  return segment !== '' && segment !== '.' && segment !== '..' && !segment.includes('\0');
}

async function* walkFolder(
  cache: FolderCache,
  folder: string,
  base: string,
  names: readonly string[],
  options: WalkOptions,
): AsyncGenerator<string> {
  const { prefix, startAfter, foldFolders } = options;
  const wanted = prefix.startsWith(base) ? prefix.slice(base.length) : '';
  for (let index = firstIndex(names, base, wanted, startAfter); index < names.length; index += 1) {
    const name = names[index] ?? '';
    if (!name.startsWith(wanted)) {
      if (compareUtf8(name, wanted) > 0) return;
      continue;
    }
    const key = base + name;
    if (!name.endsWith('/')) {
      if (compareUtf8(key, startAfter) > 0) yield key;
    } else if (!foldFolders) {
      yield* walkSubfolder(cache, join(folder, name.slice(0, -1)), key, options);
    } else if (
      key !== startAfter &&
      (await hasKeyAfter(cache, join(folder, name.slice(0, -1)), key, options))
    ) {
      yield key;
    }
  }
}

async function* walkSubfolder(
  cache: FolderCache,
  folder: string,
  base: string,
  options: WalkOptions,
): AsyncGenerator<string> {
  const names = await cache.names(folder);
  if (names.length > 0) yield* walkFolder(cache, folder, base, names, options);
  else if (compareUtf8(base, options.startAfter) > 0) yield base;
}

/** Whether a folder has anything behind `startAfter`: it is opened only if that lies inside it. */
async function hasKeyAfter(
  cache: FolderCache,
  folder: string,
  base: string,
  options: WalkOptions,
): Promise<boolean> {
  if (!options.startAfter.startsWith(base)) return compareUtf8(base, options.startAfter) > 0;
  const inside = walkSubfolder(cache, folder, base, { ...options, foldFolders: false });
  const { done } = await inside.next();
  await inside.return(undefined);
  return done !== true;
}

/**
 * Where to begin among a folder's sorted names: behind everything that lies before the prefix and
 * before `startAfter`, but at the folder that `startAfter` lies in.
 */
function firstIndex(
  names: readonly string[],
  base: string,
  wanted: string,
  startAfter: string,
): number {
  const fromPrefix = lowerBound(names, wanted);
  if (!startAfter.startsWith(base)) {
    return compareUtf8(startAfter, base) > 0 ? names.length : fromPrefix;
  }
  const rest = startAfter.slice(base.length);
  const fromStart = lowerBound(names, rest);
  const before = names[fromStart - 1];
  const inside = before?.endsWith('/') === true && rest.startsWith(before);
  return Math.max(fromPrefix, inside ? fromStart - 1 : fromStart);
}

/** The index of the first name that is not before `bound`. */
function lowerBound(names: readonly string[], bound: string): number {
  let low = 0;
  let high = names.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareUtf8(names[middle] ?? '', bound) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
