import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../durable-files.js';
import type { KeyAccess, ObjectKeys } from '../encrypted-files/object-keys.js';
import { ObjectStoreError } from '../errors.js';
import { bucketNameFault } from '../names.js';
import type {
  Body,
  ListOptions,
  ListPage,
  ObjectInfo,
  PublishOptions,
  ReadObject,
  ReadOptions,
  StagedFolder,
  StageOptions,
} from '../object-store.js';
import type { ObjectLocation } from '../s3-uri.js';
import type {
  BucketInfo,
  OpenObject,
  ServedObjectStore,
  ServedWriteOptions,
} from '../served-object-store.js';
import { endDetours } from './around-partial.js';
import { FolderCache } from './folder-cache.js';
import { isVacant, locationExists, makeBucket, publishEmbedded, stageEmbedded } from './folders.js';
import { uninstallObject } from './installing.js';
import { KeyedLocks } from './keyed-locks.js';
import { bucketFolder, type Layout, openLayout, requireBucket, statIfThere } from './layout.js';
import { listObjects } from './listing.js';
import { MultipartUploads } from './multipart.js';
import { headObject, openObject, writeObject } from './objects.js';

/** Uploads that nobody completed or aborted for this long are given up. */
const MAX_UPLOAD_AGE_MILLISECONDS = 7 * 24 * 60 * 60 * 1000;

/**
 * Opens the embedded store in a data folder, making its folders where they are missing.
 * @param keys for objects that are encrypted; without them there can be none
 */
export async function openEmbeddedStore(
  dataDir: string,
  keys?: ObjectKeys,
): Promise<EmbeddedStore> {
  return new EmbeddedStore(await openLayout(dataDir), keys);
}

/**
 * A folder of buckets with plain files in it, `DATA/buckets/<bucket>/<key>`, which people may copy
 * in and out; objects that were written under a key are encrypted files. One process at a time
 * writes to it through this class.
 */
export class EmbeddedStore implements ServedObjectStore {
  readonly uploads: MultipartUploads;
  readonly #layout: Layout;
  readonly #locks = new KeyedLocks();
  readonly #folders: FolderCache;
  readonly #keys: ObjectKeys | undefined;

  constructor(layout: Layout, keys: ObjectKeys | undefined) {
    this.#layout = layout;
    this.#keys = keys;
    this.#folders = new FolderCache(layout);
    this.uploads = new MultipartUploads(layout, this.#locks, keys);
  }

  /**
   * Removes what a stopped process left half-received. To be called once, before serving.
   * @param shared whether other processes may be receiving; then only what is days old is removed
   */
  async reclaim({ shared }: { readonly shared: boolean }): Promise<void> {
    const { incoming, multipart } = this.#layout;
    const oldest = Date.now() - MAX_UPLOAD_AGE_MILLISECONDS;
    await removeOlder(incoming, shared ? oldest : Number.POSITIVE_INFINITY);
    await removeOlder(multipart, oldest);
    await endDetours(this.#layout, shared ? oldest : Number.POSITIVE_INFINITY);
  }

  async listBuckets(): Promise<readonly BucketInfo[]> {
    const buckets: BucketInfo[] = [];
    for (const entry of await readdir(this.#layout.buckets, { withFileTypes: true })) {
      if (!entry.isDirectory() || bucketNameFault(entry.name) !== undefined) continue;
      const { birthtime } = await stat(join(this.#layout.buckets, entry.name));
      buckets.push({ name: entry.name, createdAt: birthtime });
    }
    return buckets.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async createBucket(bucket: string): Promise<void> {
    if (!(await makeBucket(bucketFolder(this.#layout, bucket)))) {
      throw new ObjectStoreError(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
      );
    }
  }

  async headBucket(bucket: string): Promise<void> {
    await requireBucket(this.#layout, bucket);
  }

  async deleteBucket(bucket: string): Promise<void> {
    const folder = await requireBucket(this.#layout, bucket);
    try {
      await rmdir(folder);
    } catch (error) {
      const code = systemErrorCode(error);
      if (code === 'ENOTEMPTY' || code === 'EEXIST') {
        throw new ObjectStoreError('BucketNotEmpty', 'The bucket you tried to delete is not empty');
      }
      throw error;
    }
    await rm(join(this.#layout.metadata, bucket), { recursive: true, force: true });
  }

  list(bucket: string, options: ListOptions = {}): Promise<ListPage> {
    return listObjects(this.#layout, this.#folders, bucket, options);
  }

  head(bucket: string, key: string): Promise<ObjectInfo> {
    return headObject(this.#layout, bucket, key);
  }

  open(bucket: string, key: string, access: KeyAccess = {}): Promise<OpenObject> {
    return openObject(this.#layout, this.#keys, bucket, key, access);
  }

  async read(bucket: string, key: string, options: ReadOptions = {}): Promise<ReadObject> {
    const object = await this.open(bucket, key, options);
    return { info: object.info, body: object.read(options.range) };
  }

  write(bucket: string, key: string, body: Body, options: ServedWriteOptions): Promise<ObjectInfo> {
    const writing = { layout: this.#layout, keys: this.#keys, locks: this.#locks };
    return writeObject(writing, bucket, key, body, options);
  }

  remove(bucket: string, key: string): Promise<void> {
    return this.#locks.run(`${bucket}/${key}`, () => uninstallObject(this.#layout, bucket, key));
  }

  exists(location: ObjectLocation): Promise<boolean> {
    return locationExists(this.#layout, location);
  }

  async isEmpty(location: ObjectLocation): Promise<boolean> {
    return isVacant(this.#layout, location);
  }

  stageFolder(
    location: ObjectLocation,
    target: string,
    options: StageOptions = {},
  ): Promise<StagedFolder> {
    return stageEmbedded(this.#layout, this.#keys, location, target, options);
  }

  async publishFolder(
    folder: string,
    location: ObjectLocation,
    options: PublishOptions = {},
  ): Promise<void> {
    if (options.copies !== undefined) {
      throw new ObjectStoreError(
        'InvalidRequest',
        'The embedded store publishes folders as they are',
      );
    }
    return publishEmbedded(this.#layout, this.#keys, folder, location, options);
  }
}

/** Removes what was last changed before a time, in milliseconds since the epoch, from a folder. */
async function removeOlder(folder: string, time: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    const stats = await statIfThere(path);
    if (stats !== undefined && Number(stats.mtimeMs) < time) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
