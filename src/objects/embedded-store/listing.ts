import { keyFault } from '../names.js';
import type { ListOptions, ListPage, ObjectSummary } from '../object-store.js';
import type { FolderCache } from './folder-cache.js';
import { type Layout, objectPath, requireBucket, resolveFile, statIfThere } from './layout.js';
import { describeObject } from './sidecar.js';
import { walkKeys } from './tree.js';

const DEFAULT_MAX_KEYS = 1000;
/** How many files are looked at together: enough to keep the file system's threads busy. */
const LOOKUPS_AT_ONCE = 16;

/** One page of a bucket's keys. Its cost grows with the page, not with what lies before it. */
export async function listObjects(
  layout: Layout,
  cache: FolderCache,
  bucket: string,
  options: ListOptions,
): Promise<ListPage> {
  const folder = await requireBucket(layout, bucket);
  const { prefix = '', delimiter = '', startAfter = '', maxKeys = DEFAULT_MAX_KEYS } = options;
  if (maxKeys <= 0) return { objects: [], commonPrefixes: [] };
  const keys: string[] = [];
  const commonPrefixes: string[] = [];
  let last = startAfter;
  let more = false;
  const walk = walkKeys(cache, folder, { prefix, startAfter, foldFolders: delimiter === '/' });
  for await (const key of walk) {
    options.signal?.throwIfAborted();
    if (keyFault(key) !== undefined) continue; // A person's path that no client could ask for.
    const rolled = rollUp(key, prefix, delimiter);
    if (rolled !== undefined && rolled === last) continue;
    if (keys.length + commonPrefixes.length === maxKeys) {
      more = true;
      break;
    }
    if (rolled === undefined) keys.push(key);
    else commonPrefixes.push(rolled);
    last = rolled ?? key;
  }
  return {
    objects: await summarize(layout, bucket, keys, options.signal),
    commonPrefixes,
    ...(more ? { nextStartAfter: last } : {}),
  };
}

/** The common prefix that a key belongs to, if it has the delimiter behind the prefix. */
function rollUp(key: string, prefix: string, delimiter: string): string | undefined {
  if (delimiter === '') return undefined;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? undefined : key.slice(0, at + delimiter.length);
}

async function summarize(
  layout: Layout,
  bucket: string,
  keys: readonly string[],
  signal: AbortSignal | undefined,
): Promise<ObjectSummary[]> {
  const summaries: ObjectSummary[] = [];
  for (let from = 0; from < keys.length; from += LOOKUPS_AT_ONCE) {
    signal?.throwIfAborted();
    const group = keys.slice(from, from + LOOKUPS_AT_ONCE);
    const found = await Promise.all(group.map((key) => summary(layout, bucket, key)));
    for (const one of found) if (one !== undefined) summaries.push(one);
  }
  return summaries;
}

/** Undefined for a file that was removed since its name was read. */
async function summary(
  layout: Layout,
  bucket: string,
  key: string,
): Promise<ObjectSummary | undefined> {
  const path = objectPath(layout, bucket, key);
  const stats = await statIfThere(path);
  if (stats === undefined) return undefined;
  if (stats.isDirectory()) return markerInfo(key, stats.mtimeMs);
  if (!stats.isSymbolicLink()) return describeObject(layout, bucket, key, stats, path);
  const real = await resolveFile(layout, path);
  const target = real === undefined ? undefined : await statIfThere(real);
  if (real === undefined || target === undefined) return undefined;
  return describeObject(layout, bucket, key, target, real);
}

/** The MD5 of nothing, which is what a folder's marker holds. */
const EMPTY_MD5 = 'd41d8cd98f00b204e9800998ecf8427e';

/** An empty folder as S3 shows it: an object of no bytes whose key ends in a slash. */
export function markerInfo(key: string, modifiedMilliseconds: bigint) {
  return {
    key,
    size: 0,
    lastModified: new Date(Number(modifiedMilliseconds)),
    etag: EMPTY_MD5,
    headers: { contentType: 'application/x-directory' },
    metadata: {},
  };
}
