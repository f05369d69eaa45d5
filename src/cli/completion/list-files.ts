import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** More names than these help nobody. */
const MAX_FILES = 200;

/** The files and folders whose path begins like the given one; none where there is no such folder. */
export async function listFiles(
  prefix: string,
): Promise<readonly { readonly path: string; readonly isFolder: boolean }[]> {
  const typedFolder = prefix.endsWith('/') ? prefix : `${dirname(prefix)}/`;
  const shown = prefix.includes('/') ? typedFolder : '';
  try {
    const entries = await readdir(shown === '' ? '.' : typedFolder, { withFileTypes: true });
    return entries.slice(0, MAX_FILES).map((entry) => {
      const isFolder = entry.isDirectory();
      const path = shown === '' ? entry.name : join(shown, entry.name);
      return { path: isFolder ? `${path}/` : path, isFolder };
    });
  } catch {
    return [];
  }
}
