import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { CheckpointError, quoted } from './errors.js';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/** Configuration files are a few kilobytes; the largest index of a published model is a few
 * megabytes. */
export const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** Real configurations nest five or six deep. */
const MAX_JSON_DEPTH = 64;

export interface JsonOptions {
  /** How to name the text in errors, usually the file's name. */
  readonly what: string;
  readonly maxDepth?: number;
  /** Refuse an object that has the same key twice; `JSON.parse` would keep the last one unseen. */
  readonly uniqueKeys?: boolean;
  /** Read the `NaN` and `Infinity` that Python's writer leaves in configurations as null. */
  readonly pythonNumbers?: boolean;
}

/** Parses JSON whose nesting is checked before a parser builds anything from it.
 * @throws CheckpointError naming `what`. */
export function parseJson(text: string, options: JsonOptions): JsonValue {
  const readable = inspect(text, options);
  try {
    return JSON.parse(readable) as JsonValue;
  } catch (error) {
    throw new CheckpointError(`is not valid JSON: ${(error as Error).message}`, {
      file: options.what,
    });
  }
}

/** Reads and parses a JSON file of at most {@link MAX_JSON_BYTES}; its text comes back too, for those
 * who write a changed copy.
 * @throws CheckpointError naming the file. */
export async function readJsonFile(
  path: string,
  options: Omit<JsonOptions, 'what'> = {},
): Promise<{ readonly text: string; readonly value: JsonValue }> {
  const what = basename(path);
  const text = await readTextFile(path, MAX_JSON_BYTES);
  return { text, value: parseJson(text, { ...options, what }) };
}

/** Reads a UTF-8 text file of at most `maxBytes`.
 * @throws CheckpointError if it is larger or not UTF-8. */
export async function readTextFile(path: string, maxBytes: number): Promise<string> {
  const file = basename(path);
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size > maxBytes) {
      throw new CheckpointError(`is ${size} bytes long; at most ${maxBytes} are read`, { file });
    }
    return decodeUtf8(await handle.readFile(), file);
  } finally {
    await handle.close();
  }
}

/** @throws CheckpointError if the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new CheckpointError('is not UTF-8 text', { file });
  }
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COLON = 0x3a;
const CAPITAL_N = 0x4e;
const CAPITAL_I = 0x49;
const MINUS = 0x2d;

/** One pass over the text: nesting depth, repeated keys, Python's numbers. It accepts any text;
 * whether the text is JSON is for the parser to say. Returns the text to parse. */
function inspect(text: string, options: JsonOptions): string {
  const maxDepth = options.maxDepth ?? MAX_JSON_DEPTH;
  const keys: (Set<string> | undefined)[] = [];
  let rewritten = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const keySet = keys.at(-1);
      if (keySet !== undefined && text.charCodeAt(skipSpace(text, end)) === COLON) {
        const key = unescaped(text.slice(at, end));
        if (keySet.has(key)) {
          throw new CheckpointError(`the name ${quoted(key)} appears twice`, {
            file: options.what,
          });
        }
        keySet.add(key);
      }
      at = end;
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      keys.push(code === OPEN_BRACE && options.uniqueKeys === true ? new Set() : undefined);
      if (keys.length > maxDepth) {
        throw new CheckpointError(`is nested more than ${maxDepth} deep`, { file: options.what });
      }
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      keys.pop();
    } else if (
      options.pythonNumbers === true &&
      (code === CAPITAL_N || code === CAPITAL_I || code === MINUS)
    ) {
      const word = ['NaN', 'Infinity', '-Infinity'].find((name) => text.startsWith(name, at));
      if (word !== undefined) {
        rewritten += `${text.slice(copied, at)}null`;
        at += word.length;
        copied = at;
        continue;
      }
    }
    at += 1;
  }
  return copied === 0 ? text : rewritten + text.slice(copied);
}

/** Index just past the string that begins at `start`, or the end of the text if it is not closed. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at += 1;
    else if (code === QUOTE) return at + 1;
  }
  return text.length;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (/[ \t\r\n]/.test(text.charAt(at))) at += 1;
  return at;
}

/** The value of a JSON string literal; one that does not parse stands for itself. */
function unescaped(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1);
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}
