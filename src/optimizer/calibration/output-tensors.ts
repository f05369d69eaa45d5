import { type FileHandle, open } from 'node:fs/promises';
import type { FileRange } from '../../kernels/index.js';
import { writeAll } from '../output/write-all.js';

/** Writes tensors to their planned places in the output's files. */
export class OutputTensors {
  readonly #ranges: ReadonlyMap<string, FileRange>;
  readonly #handles = new Map<string, FileHandle>();

  /** @param ranges tensor name to place. */
  constructor(ranges: ReadonlyMap<string, FileRange>) {
    this.#ranges = ranges;
  }

  /** Bytes that a tensor takes. */
  size(name: string): number {
    return this.#range(name).length;
  }

  async write(name: string, data: Uint8Array): Promise<void> {
    const { path, offset, length } = this.#range(name);
    if (data.length !== length) {
      throw new RangeError(`${name} has ${data.length} bytes, but ${length} were planned`);
    }
    const handle = this.#handles.get(path) ?? (await open(path, 'r+'));
    this.#handles.set(path, handle);
    await writeAll(handle, data, offset);
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await handle.close();
    this.#handles.clear();
  }

  #range(name: string): FileRange {
    const range = this.#ranges.get(name);
    if (range === undefined) throw new Error(`${name} has no place in the output`);
    return range;
  }
}
