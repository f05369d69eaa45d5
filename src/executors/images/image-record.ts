import { readFile, writeFile } from 'node:fs/promises';
import type { StepFolders } from '../step-folders.js';

/** Which image a step ran in, as the report says it. */
export interface ImageRecord {
  /** As the job asked for it. */
  readonly image: string;
  /** The name under which it was pulled, where a mapping made it another one. */
  readonly pulledAs: string;
  /** The digest in its registry, `sha256:…`; null for an image that came from none. */
  readonly digest: string | null;
  /** The engine's own identifier of its contents. */
  readonly id: string | null;
}

/** Notes which image a step runs in. */
export async function writeImageRecord(folders: StepFolders, record: ImageRecord): Promise<void> {
  await writeFile(folders.imageFile, JSON.stringify(record));
}

/** What was noted of a step's image; undefined for a step that ran in none. */
export async function readImageRecord(folders: StepFolders): Promise<ImageRecord | undefined> {
  try {
    return JSON.parse(await readFile(folders.imageFile, 'utf8')) as ImageRecord;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
