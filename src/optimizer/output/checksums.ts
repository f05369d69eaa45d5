import { readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import type { KernelPool } from '../../kernels/index.js';
import type { Progress } from '../progress.js';
import type { FileReport } from '../report/types.js';

/** Reads every file under a folder again and sums it up, in the order of their names.
 * @param known SHA-256 of files that were read again already, by name. */
export async function checksumFiles(
  folder: string,
  pool: KernelPool,
  progress: Progress,
  signal: AbortSignal,
  known: ReadonlyMap<string, string> = new Map(),
): Promise<readonly FileReport[]> {
  const files: { readonly name: string; readonly bytes: number }[] = [];
  for (const name of await filesUnder(folder)) {
    files.push({ name, bytes: (await stat(join(folder, name))).size });
  }
  progress.begin('reporting', {
    tensors: files.length,
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  });
  return Promise.all(
    files.map(async ({ name, bytes }) => {
      const sha256 = known.get(name) ?? (await pool.sha256(join(folder, name), { signal }));
      progress.advance(1, bytes);
      return { name, bytes, sha256 };
    }),
  );
}

/** Names of all files, in the order in which they sort. */
async function filesUnder(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  const pending = [''];
  for (const prefix of pending) {
    for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
      const name = posix.join(prefix, entry.name);
      (entry.isDirectory() ? pending : names).push(name);
    }
  }
  return names.sort();
}
