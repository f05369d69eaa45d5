import type { FolderFile } from '../../../checkpoint/folder.js';
import { isJsonObject, type JsonObject, readJsonFile } from '../../../checkpoint/json.js';

const GENERATION_CONFIG_FILE = 'generation_config.json';

/** What `generation_config.json` says; empty where there is none.
 * @throws CheckpointError if it cannot be read. */
export async function readGenerationConfig(files: readonly FolderFile[]): Promise<JsonObject> {
  const file = files.find(({ name }) => name === GENERATION_CONFIG_FILE);
  if (file === undefined) return {};
  const { value } = await readJsonFile(file.path, { pythonNumbers: true });
  return isJsonObject(value) ? value : {};
}
