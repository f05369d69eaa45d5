import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeAll } from '../output/write-all.js';

/** What every token has at one place of the model, `[tokens, width]` f32. All that is not in memory is
 * in a file; who reads or writes does not see the difference. */
export interface Activations {
  readonly width: number;
  readonly tokens: number;
  /** Consecutive tokens. What comes back is valid until the call after the next; it may be the memory
   * itself and must not be written to. */
  read(first: number, count: number): Promise<Float32Array>;
  write(first: number, values: Float32Array): Promise<void>;
  /** The named tokens, one after the other. */
  gather(tokens: Uint32Array): Promise<Float32Array>;
  /** Adds one row of `values` to each of the named tokens. */
  add(tokens: Uint32Array, values: Float32Array): Promise<void>;
  close(): Promise<void>;
}

export interface SpillOptions {
  /** Bytes that one set of activations may take in memory; beyond them it goes to a file. */
  readonly memoryBytes?: number;
  /** Where the file goes; it has no name there once it is open. */
  readonly folder?: string | undefined;
  /** A file that stays, in place of one of their own. */
  readonly file?: SpillFile;
}

/** A file for one set of activations after another. Its pages are in the machine's file cache already
 * when the next set is written over the last, which takes half the time that new pages take. */
export class SpillFile {
  readonly #folder: string;
  #handle: Promise<FileHandle> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  open(): Promise<FileHandle> {
    this.#handle ??= openNameless(this.#folder);
    return this.#handle;
  }

  async close(): Promise<void> {
    const handle = await this.#handle;
    await handle?.close();
  }
}

/** Half a gigabyte: 128 samples of 2,048 tokens at width 512, or 32 at width 2,048. */
export const DEFAULT_MEMORY_BYTES = 512 * 1024 * 1024;

/** Room for activations, in memory where they fit the budget. */
export async function createActivations(
  tokens: number,
  width: number,
  { memoryBytes = DEFAULT_MEMORY_BYTES, folder = tmpdir(), file }: SpillOptions = {},
): Promise<Activations> {
  const bytes = tokens * width * Float32Array.BYTES_PER_ELEMENT;
  if (bytes <= memoryBytes) return new MemoryActivations(tokens, width);
  if (file !== undefined) return new FileActivations(tokens, width, await file.open());
  const own = new SpillFile(folder);
  return new FileActivations(tokens, width, await own.open(), own);
}

async function openNameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `burnish-activations-${randomUUID()}`);
  const handle = await open(path, 'wx+', 0o600);
  // Without a name the file goes with the process, however that ends.
  await unlink(path);
  return handle;
}

class MemoryActivations implements Activations {
  readonly width: number;
  readonly tokens: number;
  readonly #values: Float32Array;

  constructor(tokens: number, width: number) {
    this.tokens = tokens;
    this.width = width;
    this.#values = new Float32Array(tokens * width);
  }

  async read(first: number, count: number): Promise<Float32Array> {
    return this.#values.subarray(first * this.width, (first + count) * this.width);
  }

  async write(first: number, values: Float32Array): Promise<void> {
    this.#values.set(values, first * this.width);
  }

  async gather(tokens: Uint32Array): Promise<Float32Array> {
    const { width } = this;
    const rows = new Float32Array(tokens.length * width);
    for (const [index, token] of tokens.entries()) {
      rows.set(this.#values.subarray(token * width, (token + 1) * width), index * width);
    }
    return rows;
  }

  async add(tokens: Uint32Array, values: Float32Array): Promise<void> {
    const { width } = this;
    for (const [index, token] of tokens.entries()) {
      addRow(this.#values, token * width, values, index * width, width);
    }
  }

  async close(): Promise<void> {}
}

class FileActivations implements Activations {
  readonly width: number;
  readonly tokens: number;
  readonly #handle: FileHandle;
  readonly #own: SpillFile | undefined;
  readonly #rowBytes: number;
  /** For what is read, in turn: arrays left behind wait for long to be collected. */
  readonly #rooms = [new Float32Array(), new Float32Array()];

  /** @param own the handle's file, where it goes with the activations. */
  constructor(tokens: number, width: number, handle: FileHandle, own?: SpillFile) {
    this.tokens = tokens;
    this.width = width;
    this.#handle = handle;
    this.#own = own;
    this.#rowBytes = width * Float32Array.BYTES_PER_ELEMENT;
  }

  async read(first: number, count: number): Promise<Float32Array> {
    const length = count * this.width;
    const last = this.#rooms.shift();
    const room = last === undefined || last.length < length ? new Float32Array(length) : last;
    this.#rooms.push(room);
    const values = room.subarray(0, length);
    await this.#read(first, values);
    return values;
  }

  async write(first: number, values: Float32Array): Promise<void> {
    await writeAll(this.#handle, bytesOf(values), first * this.#rowBytes);
  }

  async gather(tokens: Uint32Array): Promise<Float32Array> {
    const rows = new Float32Array(tokens.length * this.width);
    for (const [index, token] of tokens.entries()) {
      await this.#read(token, rows.subarray(index * this.width, (index + 1) * this.width));
    }
    return rows;
  }

  async add(tokens: Uint32Array, values: Float32Array): Promise<void> {
    const row = new Float32Array(this.width);
    for (const [index, token] of tokens.entries()) {
      await this.#read(token, row);
      addRow(row, 0, values, index * this.width, this.width);
      await this.write(token, row);
    }
  }

  async close(): Promise<void> {
    await this.#own?.close();
  }

  async #read(first: number, target: Float32Array): Promise<void> {
    const bytes = bytesOf(target);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await this.#handle.read(
        bytes,
        filled,
        bytes.length - filled,
        first * this.#rowBytes + filled,
      );
      if (bytesRead === 0) throw new Error('activations were read before they were written');
      filled += bytesRead;
    }
  }
}

function addRow(
  target: Float32Array,
  targetAt: number,
  source: Float32Array,
  sourceAt: number,
  width: number,
): void {
  for (let column = 0; column < width; column += 1) {
    target[targetAt + column] = (target[targetAt + column] ?? 0) + (source[sourceAt + column] ?? 0);
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
