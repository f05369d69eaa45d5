import { readFile, writeFile } from 'node:fs/promises';
import type { NamedObject } from '../objects/object-store.js';
import { type JsonValue, readValue } from '../service-model/read-value.js';
import { integer, list, required, string, structure } from '../service-model/shape.js';
import { validateInput } from '../service-model/validate-input.js';
import { ExecutorError } from './executor.js';
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

const TEXT = string({ minLength: 1, maxLength: 4096 });

const RESULT_OBJECT = structure('ResultObject', {
  bucket: required(TEXT, 'Where the file is.'),
  key: required(TEXT, 'Its key there.'),
  name: required(TEXT, 'Its path in the result’s folder.'),
  etag: required(TEXT, 'The version that was sent.'),
  size: required(integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), 'Its bytes.'),
  sha256: required(string({ pattern: '[0-9a-f]{64}' }), 'Taken before it was sent.'),
});

const RESULT_OBJECTS = structure('ResultObjects', {
  files: required(list(RESULT_OBJECT), 'The files of a result.'),
});

/** The list of a step's result, which whoever ran the step wrote.
 * @param json as it was stored.
 * @throws ExecutorError naming what is no such list. */
export function parseResultObjects(json: string): readonly ResultObject[] {
  try {
    const parsed = readValue(RESULT_OBJECTS, { files: JSON.parse(json) as JsonValue });
    validateInput(RESULT_OBJECTS, parsed);
    return parsed.files;
  } catch (error) {
    throw new ExecutorError(
      `The list of the step’s result can’t be read: ${(error as Error).message}`,
    );
  }
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
    return parseResultObjects(await readFile(folders.objectsFile, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
