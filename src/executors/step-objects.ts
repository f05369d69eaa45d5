import { readFile, writeFile } from 'node:fs/promises';
import type { NamedObject } from '../objects/object-store.js';
import type { StepFolders } from './step-folders.js';

/** What a step works on where steps take it from an object store themselves. */
export interface StepObjects {
  /** The model's files, as they were when the service listed them; one without a name is an archive of them. */
  readonly model: readonly NamedObject[];
  /** What to call the model in messages. */
  readonly uri: string;
  /** Names of files by which it asks for its licence terms to be accepted; undefined where nobody has to look. */
  readonly termsFiles: readonly string[] | undefined;
  /** The texts that settings name, by setting. */
  readonly datasets: Readonly<Record<string, NamedObject>>;
  /** How the result is to be encrypted; undefined for not at all. */
  readonly encryption: { readonly keyId?: string } | undefined;
}

/** A file of a step's result. */
export interface ResultObject extends NamedObject {
  /** In hexadecimal digits, taken before the file was sent. */
  readonly sha256: string;
}

/** Notes what a step has left in the object store. */
export async function writeResultObjects(
  folders: StepFolders,
  files: readonly ResultObject[],
): Promise<void> {
  await writeFile(folders.objectsFile, JSON.stringify(files));
}

/** What a step has left in the object store; undefined for one whose result is in its folder. */
export async function readResultObjects(
  folders: StepFolders,
): Promise<readonly ResultObject[] | undefined> {
  try {
    return JSON.parse(await readFile(folders.objectsFile, 'utf8')) as readonly ResultObject[];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
