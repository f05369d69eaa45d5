import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Size, change time and identity of every file of a folder, by path relative to it. */
export type FolderFingerprint = ReadonlyMap<string, string>;

/** Takes the fingerprint of a folder, to tell later whether anything in it was changed. */
export async function fingerprintFolder(folder: string): Promise<FolderFingerprint> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const fingerprint = new Map<string, string>();
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const { size, mtimeNs, ino } = await stat(path, { bigint: true });
    fingerprint.set(path.slice(folder.length + 1), `${size} ${mtimeNs} ${ino}`);
  }
  return fingerprint;
}

/** The first file that is not as it was, or was not there, or is gone; undefined when there is none. */
export function changedFile(
  before: FolderFingerprint,
  after: FolderFingerprint,
): string | undefined {
  for (const [path, value] of before) if (after.get(path) !== value) return path;
  for (const path of after.keys()) if (!before.has(path)) return path;
  return undefined;
}
