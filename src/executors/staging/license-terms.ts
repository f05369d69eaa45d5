import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How deep below the model's root license terms are looked for. */
const MAX_TERMS_DEPTH = 3;

const TERMS_NAME = /eula(\.(txt|md|html|pdf))?$/i;

/**
 * The file by which a model asks for its end-user license agreement to be accepted: one whose name
 * ends in `eula`, such as `EULA.txt` or `llamaEula.txt`, near the root.
 *
 * @returns its path relative to the folder, or undefined where there is none
 */
export async function findLicenseTerms(folder: string): Promise<string | undefined> {
  return search(folder, '', 1);
}

async function search(root: string, below: string, depth: number): Promise<string | undefined> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const terms = entries.find((entry) => entry.isFile() && TERMS_NAME.test(entry.name));
  if (terms !== undefined) return join(below, terms.name);
  if (depth === MAX_TERMS_DEPTH) return undefined;
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const found = await search(root, join(below, entry.name), depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
