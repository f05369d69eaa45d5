import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Readable } from 'node:stream';
import type { FileReport } from '../../optimizer/report/types.js';

/** Every file of a folder, by its path with slashes, in the order of those. */
export async function describeFiles(folder: string): Promise<readonly FileReport[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  const files: FileReport[] = [];
  for (const path of paths) {
    const name = relative(folder, path).split(sep).join('/');
    const { size: bytes } = await stat(path);
    files.push({ name, bytes, sha256: await sha256Of(createReadStream(path)) });
  }
  return files;
}

/** SHA-256 of all bytes of a stream, in lower-case hexadecimal. */
export async function sha256Of(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
