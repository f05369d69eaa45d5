import { createReadStream } from 'node:fs';
import { cp, mkdir, readdir, rename, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { LocationNotEmptyError, noSuchKey } from '#burnish/objects/errors.js';
import type { ObjectStore } from '#burnish/objects/object-store.js';
import type { ObjectLocation } from '#burnish/objects/s3-uri.js';

/** The few methods of an object store that running jobs takes, over a plain folder. */
export function folderStore(root: string): ObjectStore {
  const pathOf = ({ bucket, key }: ObjectLocation) => join(root, bucket, key);
  const isEmpty = async (location: ObjectLocation) =>
    (await readdir(pathOf(location)).catch(() => [])).length === 0;
  const store: Partial<ObjectStore> = {
    isEmpty,
    exists: async (location) => !(await isEmpty(location)),
    headBucket: async () => undefined,
    async list(bucket, { prefix = '' } = {}) {
      const names = await readdir(join(root, bucket, prefix), {
        recursive: true,
        withFileTypes: true,
      }).catch(() => []);
      const objects = await Promise.all(
        names
          .filter((entry) => entry.isFile())
          .map(async (entry) => {
            const path = join(entry.parentPath, entry.name);
            const { size, mtime } = await stat(path);
            return { key: relative(join(root, bucket), path), size, etag: '', lastModified: mtime };
          }),
      );
      return { objects, commonPrefixes: [] };
    },
    async read(bucket, key) {
      const path = pathOf({ bucket, key });
      const names = await readdir(dirname(path)).catch(() => [] as string[]);
      if (!names.includes(key.slice(key.lastIndexOf('/') + 1))) throw noSuchKey(key);
      const info = { key, size: 0, etag: '', lastModified: new Date(), headers: {}, metadata: {} };
      return { info, body: createReadStream(path) };
    },
    async stageFolder(location) {
      return { path: pathOf(location), readOnly: true, files: 1, bytes: 1 };
    },
    async publishFolder(folder, location) {
      if (!(await isEmpty(location))) throw new LocationNotEmptyError(location);
      await mkdir(dirname(pathOf(location)), { recursive: true });
      await rename(folder, pathOf(location)).catch(() =>
        cp(folder, pathOf(location), { recursive: true }),
      );
    },
  };
  return store as ObjectStore;
}
