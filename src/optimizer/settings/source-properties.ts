import type { FolderFile } from '../../checkpoint/folder.js';
import { readTextFile } from '../../checkpoint/json.js';
import {
  MAX_PROPERTIES_BYTES,
  PROPERTIES_FILE,
  type Properties,
  parseProperties,
} from './properties.js';

/** The `serving.properties` among a model's files; empty where there is none.
 * @throws SettingsError, CheckpointError if it cannot be read. */
export async function readSourceProperties(files: readonly FolderFile[]): Promise<Properties> {
  const file = files.find(({ name }) => name === PROPERTIES_FILE);
  return file === undefined
    ? new Map()
    : parseProperties(await readTextFile(file.path, MAX_PROPERTIES_BYTES));
}
