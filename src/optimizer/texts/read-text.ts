import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isJsonObject, type JsonValue, parseJson, readTextFile } from '../../checkpoint/json.js';
import type { ChatTemplate } from './chat-template.js';
import { TextError } from './errors.js';

/** More text than any calibration uses. */
const MAX_TEXT_BYTES = 256 * 1024 * 1024;

/** Samples in the largest published sets. */
const MAX_SAMPLES = 1_000_000;

/** Text for calibration or evaluation. */
export type TextSource =
  /** Running text, to be cut anywhere. */
  | { readonly kind: 'running'; readonly text: string }
  /** Samples that stand for themselves. */
  | { readonly kind: 'samples'; readonly samples: readonly TextSample[] };

export interface TextSample {
  readonly text: string;
  /** Whether a chat template has put the special tokens in already. */
  readonly templated: boolean;
}

/** Reads a text: a `.txt` file, a `.jsonl` file whose lines have `text`, `prompt` or `messages`, or a
 * folder with files of one of these kinds, taken in the order of their names.
 * @param chatTemplate of the model; needed for `messages`.
 * @throws TextError naming the file and line; CheckpointError for what is no UTF-8 or JSON. */
export async function readTextSource(
  path: string,
  chatTemplate: ChatTemplate | undefined,
): Promise<TextSource> {
  const files = await textFiles(path);
  const lines = files.filter((file) => file.endsWith('.jsonl'));
  if (lines.length > 0 && lines.length < files.length) {
    throw new TextError(`${basename(path)} has both .txt and .jsonl files; give one kind`);
  }
  if (lines.length === 0) {
    const texts: string[] = [];
    for (const file of files) texts.push(await readTextFile(file, MAX_TEXT_BYTES));
    const text = texts.join('\n\n');
    if (text.trim() === '') throw new TextError(`${basename(path)} has no text in it`);
    return { kind: 'running', text };
  }
  const samples: TextSample[] = [];
  for (const file of lines) {
    const text = await readTextFile(file, MAX_TEXT_BYTES);
    for (const [index, line] of text.split('\n').entries()) {
      if (line.trim() === '') continue;
      const where = `${basename(file)}, line ${index + 1}`;
      samples.push(readSample(parseJson(line, { what: where }), where, chatTemplate));
      if (samples.length > MAX_SAMPLES) {
        throw new TextError(`${basename(path)} has more than ${MAX_SAMPLES} samples`);
      }
    }
  }
  if (samples.length === 0) throw new TextError(`${basename(path)} has no samples in it`);
  return { kind: 'samples', samples };
}

async function textFiles(path: string): Promise<readonly string[]> {
  const info = await stat(path).catch(() => {
    throw new TextError(`the text ${path} does not exist`);
  });
  const files = info.isDirectory()
    ? (await readdir(path)).sort().map((name) => join(path, name))
    : [path];
  const known = files.filter((file) => file.endsWith('.txt') || file.endsWith('.jsonl'));
  if (known.length === 0) {
    throw new TextError(`${basename(path)} is neither a .txt nor a .jsonl file, nor has one in it`);
  }
  return known;
}

function readSample(
  value: JsonValue,
  where: string,
  chatTemplate: ChatTemplate | undefined,
): TextSample {
  if (!isJsonObject(value)) throw new TextError(`${where} is not an object`);
  for (const key of ['text', 'prompt']) {
    const text = value[key];
    if (typeof text === 'string') return { text, templated: false };
  }
  const { messages } = value;
  if (!Array.isArray(messages)) {
    throw new TextError(`${where} has neither text nor prompt nor messages`);
  }
  if (chatTemplate === undefined) {
    throw new TextError(
      `${where} has messages, but the model has no chat template to make a text of them`,
    );
  }
  return { text: chatTemplate(messages), templated: true };
}
