import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../durable-files.js';
import { ObjectStoreError } from '../errors.js';
import { forEachConcurrently } from '../for-each-concurrently.js';
import { keyFault } from '../names.js';
import type { NamedObject, ObjectVersion, StagedFolder, StageOptions } from '../object-store.js';
import { downloadRange } from './downloading.js';
import type { Endpoint } from './endpoint.js';

/** Bytes of one ranged read: large against the cost of a request, small against memory. */
const PIECE_BYTES = 16 * 1024 * 1024;
/** Ranged reads at once: what it takes to fill a fast line with S3. */
const READS_AT_ONCE = 8;
/** More files than this are no model. */
const MAX_FILES = 100_000;

interface TargetFile {
  readonly object: ObjectVersion;
  readonly path: string;
  piecesLeft: number;
  handle: Promise<FileHandle> | undefined;
}

interface Piece {
  readonly file: TargetFile;
  readonly start: number;
  readonly end: number;
}

/**
 * Downloads objects into a folder, in pieces and several at a time.
 *
 * @throws ObjectStoreError InvalidRequest for keys that make no folder of plain files
 */
export async function downloadFolder(
  endpoint: Endpoint,
  objects: AsyncIterable<NamedObject> | Iterable<NamedObject>,
  target: string,
  options: StageOptions,
): Promise<StagedFolder> {
  let files = 0;
  let bytes = 0;
  const open = new Set<TargetFile>();
  await mkdir(target, { recursive: true });

  async function* pieces(): AsyncGenerator<Piece> {
    for await (const object of objects) {
      const path = targetPath(target, object);
      if (path === undefined) continue;
      files += 1;
      if (files > MAX_FILES) throw refuse(object.key, `there are more than ${MAX_FILES} objects`);
      const count = Math.max(1, Math.ceil(object.size / PIECE_BYTES));
      const file: TargetFile = { object, path, piecesLeft: count, handle: undefined };
      open.add(file);
      for (let index = 0; index < count; index += 1) {
        const start = index * PIECE_BYTES;
        yield { file, start, end: Math.min(start + PIECE_BYTES, object.size) - 1 };
      }
    }
  }

  try {
    await forEachConcurrently(pieces(), READS_AT_ONCE, async ({ file, start, end }) => {
      options.signal?.throwIfAborted();
      file.handle ??= createFile(file.path, file.object.key);
      const handle = await file.handle;
      let at = start;
      for await (const chunk of downloadRange(
        endpoint,
        file.object,
        { start, end },
        options.signal,
      )) {
        await handle.write(chunk, 0, chunk.byteLength, at);
        at += chunk.byteLength;
        bytes += chunk.byteLength;
        options.onProgress?.({ bytes, files });
      }
      file.piecesLeft -= 1;
      if (file.piecesLeft > 0) return;
      open.delete(file);
      await handle.close();
    });
  } finally {
    for (const file of open) {
      await file.handle?.then(
        (handle) => handle.close(),
        () => undefined,
      );
    }
  }
  return { path: target, readOnly: false, files, bytes };
}

/** Undefined for the empty object that some clients put where a folder is. */
function targetPath(target: string, object: NamedObject): string | undefined {
  const { name } = object;
  if ((name === '' || name.endsWith('/')) && object.size === 0) return undefined;
  const fault = keyFault(name)?.reason ?? (name.endsWith('/') ? 'it ends in a slash' : undefined);
  if (fault !== undefined) throw refuse(object.key, fault);
  return join(target, name);
}

async function createFile(path: string, key: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(path, 'wx');
  } catch (error) {
    if (['EEXIST', 'EISDIR', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) {
      throw refuse(key, 'one key would be a file and a folder at once');
    }
    throw error;
  }
}

function refuse(key: string, reason: string): ObjectStoreError {
  return new ObjectStoreError(
    'InvalidRequest',
    `${JSON.stringify(key)} cannot be made into a folder of files: ${reason}`,
  );
}
