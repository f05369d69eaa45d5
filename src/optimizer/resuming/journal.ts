import { type FileHandle, open, readFile } from 'node:fs/promises';
import { CheckpointError } from '../../checkpoint/errors.js';
import { isJsonObject, type JsonValue, parseJson } from '../../checkpoint/json.js';
import { type FinishedEntry, readEntry } from './entries.js';
import { type Fingerprint, readFingerprint } from './fingerprint.js';

/** Of the journal's lines; another one is not read. */
const FORMAT = 1;

/** How the journal begins: whose layers it lists. */
export interface JournalContent {
  readonly fingerprint: Fingerprint;
  readonly entries: readonly FinishedEntry[];
  /** Bytes of whole lines; what is behind them was cut off by a crash. */
  readonly bytes: number;
}

/** Reads a journal as far as it is whole.
 * @returns undefined where there is none, or none of this format. */
export async function readJournal(path: string): Promise<JournalContent | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n');
  // Behind the last line break is nothing, or half a line.
  lines.pop();
  const first = parseLine(lines[0] ?? '');
  const fingerprint =
    isJsonObject(first) && first.format === FORMAT ? readFingerprint(first.fingerprint) : undefined;
  if (fingerprint === undefined) return undefined;
  const entries: FinishedEntry[] = [];
  let bytes = Buffer.byteLength(lines[0] ?? '') + 1;
  for (const line of lines.slice(1)) {
    const value = parseLine(line);
    const entry = value === undefined ? undefined : readEntry(value);
    if (entry === undefined) break;
    entries.push(entry);
    bytes += Buffer.byteLength(line) + 1;
  }
  return { fingerprint, entries, bytes };
}

function parseLine(line: string): JsonValue | undefined {
  try {
    return parseJson(line, { what: 'the journal' });
  } catch (error) {
    if (error instanceof CheckpointError) return undefined;
    throw error;
  }
}

/** The list of what is finished, one line each, on disk before anybody counts on it. */
export class Journal {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async create(path: string, fingerprint: Fingerprint): Promise<Journal> {
    const journal = new Journal(await open(path, 'wx'));
    await journal.#append(`${JSON.stringify({ format: FORMAT, fingerprint })}\n`);
    return journal;
  }

  /** Goes on behind the whole lines of one that was read. */
  static async goOn(path: string, { bytes }: JournalContent): Promise<Journal> {
    const handle = await open(path, 'r+');
    await handle.truncate(bytes);
    await handle.close();
    return new Journal(await open(path, 'a'));
  }

  append(entries: readonly FinishedEntry[]): Promise<void> {
    return this.#append(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }

  close(): Promise<void> {
    return this.#handle.close();
  }

  async #append(text: string): Promise<void> {
    await this.#handle.appendFile(text);
    await this.#handle.datasync();
  }
}
