import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { CheckpointError, quoted } from '../errors.js';
import type { FolderFile } from '../folder.js';
import { isJsonObject, type JsonObject, readJsonFile } from '../json.js';

export const TOKENIZER_FILE = 'tokenizer.json';
const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';

/** A checkpoint's own tokenizer. */
export interface Tokenizer {
  /** The ids of a text.
   * @param specialTokens whether those that the model expects around a text are added. */
  encode(text: string, specialTokens: boolean): Int32Array;
  /** The contents of `tokenizer_config.json`. */
  readonly config: JsonObject;
}

/** Whether there is a tokenizer that {@link readTokenizer} could read. */
export function hasTokenizer(files: readonly FolderFile[]): boolean {
  return files.some(({ name }) => name === TOKENIZER_FILE);
}

/** Reads the tokenizer of a checkpoint from its `tokenizer.json` and `tokenizer_config.json`.
 * @throws CheckpointError if the first is missing, or either cannot be used. */
export async function readTokenizer(files: readonly FolderFile[]): Promise<Tokenizer> {
  const file = files.find(({ name }) => name === TOKENIZER_FILE);
  if (file === undefined) {
    throw new CheckpointError(`there is no ${TOKENIZER_FILE} in the model folder`);
  }
  const { value } = await readJsonFile(file.path);
  const configFile = files.find(({ name }) => name === TOKENIZER_CONFIG_FILE);
  const config = configFile === undefined ? {} : (await readJsonFile(configFile.path)).value;
  if (!isJsonObject(value) || !isJsonObject(config)) {
    const which = isJsonObject(value) ? TOKENIZER_CONFIG_FILE : TOKENIZER_FILE;
    throw new CheckpointError('is not an object', { file: which });
  }
  const tokenizer = usable(() => new HuggingFaceTokenizer(value, config));
  return {
    config,
    encode: (text, specialTokens) => {
      const options = { add_special_tokens: specialTokens };
      const ids: readonly number[] = usable(() => tokenizer.encode(text, options)).ids;
      const stray = ids.find((id) => !Number.isInteger(id) || id < 0);
      if (stray !== undefined) throw unusable(`it makes the token ${String(stray)} of a text`);
      return Int32Array.from(ids);
    },
  };
}

/** What is odd in a tokenizer shows only when it is made, or used. */
function usable<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw unusable((error as Error).message);
  }
}

function unusable(why: string): CheckpointError {
  return new CheckpointError(`cannot be used: ${quoted(why)}`, { file: TOKENIZER_FILE });
}
