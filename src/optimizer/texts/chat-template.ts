import { Template } from '@huggingface/jinja';
import type { FolderFile } from '../../checkpoint/folder.js';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  readTextFile,
} from '../../checkpoint/json.js';
import { TextError } from './errors.js';

/** Newer checkpoints keep the template in a file of its own. */
const TEMPLATE_FILE = 'chat_template.jinja';

/** Templates are a few kilobytes. */
const MAX_TEMPLATE_BYTES = 1024 * 1024;

/** Makes the text that a model sees of a conversation.
 * @throws TextError if the template does not take these messages. */
export type ChatTemplate = (messages: readonly JsonValue[]) => string;

/** The chat template of a checkpoint, or undefined if it has none. It runs in an interpreter that reaches
 * nothing but the messages.
 * @param config the contents of `tokenizer_config.json`.
 * @throws TextError if the template is not one. */
export async function readChatTemplate(
  files: readonly FolderFile[],
  config: JsonObject,
): Promise<ChatTemplate | undefined> {
  const file = files.find(({ name }) => name === TEMPLATE_FILE);
  const source =
    file === undefined
      ? templateIn(config.chat_template)
      : await readTextFile(file.path, MAX_TEMPLATE_BYTES);
  if (source === undefined) return undefined;
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    throw new TextError(`the model’s chat template cannot be read: ${(error as Error).message}`);
  }
  const tokens = specialTokens(config);
  return (messages) => {
    try {
      return template.render({ ...tokens, messages, add_generation_prompt: false });
    } catch (error) {
      throw new TextError(
        `the model’s chat template does not take the messages: ${(error as Error).message}`,
      );
    }
  };
}

/** One template, or several by name, of which `default` is for conversations. */
function templateIn(value: JsonValue | undefined): string | undefined {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return undefined;
  const named = value.find((entry) => isJsonObject(entry) && entry.name === 'default');
  const template = isJsonObject(named) ? named.template : undefined;
  return typeof template === 'string' ? template : undefined;
}

/** Templates name the special tokens; a configuration has them as strings or as objects. */
function specialTokens(config: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]): [string, string][] => {
      if (!key.endsWith('_token')) return [];
      const content = isJsonObject(value) ? value.content : value;
      return typeof content === 'string' ? [[key, content]] : [];
    }),
  );
}
