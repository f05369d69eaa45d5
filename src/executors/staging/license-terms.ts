import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** How deep below the model's root license terms are looked for. */
const MAX_TERMS_DEPTH = 3;

/** Names that licence terms go by unless the service is configured otherwise. */
export const DEFAULT_TERMS_FILES: readonly string[] = ['', '.txt', '.md', '.html', '.pdf'].map(
  (ending) => `*eula${ending}`,
);

/**
 * The file by which a model asks for its end-user license agreement to be accepted: by
 * default one whose name ends in `eula`, such as `EULA.txt` or `llamaEula.txt`, near the root.
 *
 * @param names of such files, in any case; `*` stands for any characters
 * @returns its path relative to the folder, or undefined where there is none
 */
export async function findLicenseTerms(
  folder: string,
  names: readonly string[] = DEFAULT_TERMS_FILES,
): Promise<string | undefined> {
  return search(folder, '', 1, new RegExp(`^(?:${names.map(pattern).join('|')})$`, 'i'));
}

/** A name with `*` as a regular expression. */
function pattern(name: string): string {
  return name
    .split(/\*+/)
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
    .join('.*');
}

/** What the job is told whose model asks for an agreement. */
export function licenseRefusal(uri: string, terms: string): string {
  return `The model at ${uri} carries an end-user license agreement (${terms}). Read it and, to accept it, set ModelSource.S3.ModelAccessConfig.AcceptEula to true.`;
}

async function search(
  root: string,
  below: string,
  depth: number,
  terms: RegExp,
): Promise<string | undefined> {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const file = entries.find((entry) => entry.isFile() && terms.test(entry.name));
  if (file !== undefined) return join(below, file.name);
  if (depth === MAX_TERMS_DEPTH) return undefined;
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const found = await search(root, join(below, entry.name), depth + 1, terms);
    if (found !== undefined) return found;
  }
  return undefined;
}
