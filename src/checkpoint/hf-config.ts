import { CheckpointError } from './errors.js';
import { isJsonObject, type JsonObject, type JsonValue, readJsonFile } from './json.js';

export const CONFIG_FILE = 'config.json';

/** What `config.json` says, as far as the tensors' layout depends on it. */
export interface HfConfig {
  /** The file's own text. */
  readonly text: string;
  readonly values: JsonObject;
  /** The language model's part: `text_config` where the model has several parts, else all of it. */
  readonly languageModel: JsonObject;
  /** Whether the language model is one part of several. */
  readonly multimodal: boolean;
  readonly modelType: string;
  readonly architectures: readonly string[];
  /** `torch_dtype`, or `dtype` as newer writers call it. */
  readonly dtype: string | undefined;
  /** Undefined where the file leaves it to the architecture's default. */
  readonly tieWordEmbeddings: boolean | undefined;
}

/** Reads a `config.json`.
 * @throws CheckpointError if it is missing, unreadable or has no `model_type`. */
export async function readHfConfig(path: string): Promise<HfConfig> {
  // Python's writer puts Infinity into the configurations of some state-space models.
  const { text, value } = await readJsonFile(path, { pythonNumbers: true });
  return interpretHfConfig(text, value);
}

/** @throws CheckpointError as {@link readHfConfig}. */
export function interpretHfConfig(text: string, values: JsonValue): HfConfig {
  if (!isJsonObject(values)) throw new CheckpointError('is not an object', { file: CONFIG_FILE });
  const nested = values.text_config;
  const multimodal = isJsonObject(nested);
  const languageModel = multimodal ? nested : values;
  const modelType = stringOf(values.model_type) ?? stringOf(languageModel.model_type);
  if (modelType === undefined) {
    throw new CheckpointError('has no model_type, so its architecture is not known', {
      file: CONFIG_FILE,
    });
  }
  const architectures = values.architectures;
  return {
    text,
    values,
    languageModel,
    multimodal,
    modelType,
    architectures: Array.isArray(architectures)
      ? architectures.filter((name): name is string => typeof name === 'string')
      : [],
    dtype: firstOf(stringOf, [
      values.torch_dtype,
      values.dtype,
      languageModel.torch_dtype,
      languageModel.dtype,
    ]),
    tieWordEmbeddings: firstOf(booleanOf, [
      values.tie_word_embeddings,
      languageModel.tie_word_embeddings,
    ]),
  };
}

/** @throws CheckpointError if the configuration says that the weights are quantized already. */
export function requireUnquantized(config: HfConfig): void {
  for (const part of [config.values, config.languageModel]) {
    for (const key of ['quantization_config', 'compression_config']) {
      const found = part[key];
      if (found === undefined || found === null) continue;
      const method = isJsonObject(found) ? stringOf(found.quant_method) : undefined;
      throw new CheckpointError(
        `has a ${key}${method === undefined ? '' : ` (${method})`}: the checkpoint is already quantized. Start from the unquantized model`,
        { file: CONFIG_FILE },
      );
    }
  }
}

function stringOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function booleanOf(value: JsonValue | undefined): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

function firstOf<T>(
  read: (value: JsonValue | undefined) => T | undefined,
  values: readonly (JsonValue | undefined)[],
): T | undefined {
  for (const value of values) {
    const found = read(value);
    if (found !== undefined) return found;
  }
  return undefined;
}
