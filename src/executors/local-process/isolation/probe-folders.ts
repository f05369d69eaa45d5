import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** How the names of folders begin in which isolation is tried out. */
export const PROBE_FOLDER = 'burnish-isolation-';

/** Many times longer than anything is tried out, in milliseconds. */
const OLD_MS = 3_600_000;

/**
 * Removes the folders that processes have left which were killed while they tried out isolation. How
 * old they are tells, since a process of another container can't be seen. What another user has put
 * there is left alone: what is in it may change under whoever removes it.
 *
 * @param folder where temporary folders are made
 */
export async function removeOldProbeFolders(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => [] as string[]);
  for (const name of names) {
    if (!name.startsWith(PROBE_FOLDER)) continue;
    const path = join(folder, name);
    try {
      const { uid, mtimeMs } = await lstat(path);
      if (uid !== process.getuid?.() || Date.now() - mtimeMs < OLD_MS) continue;
      await rm(path, { recursive: true, force: true });
    } catch {
      // It is in nobody's way; the next start tries again.
    }
  }
}
