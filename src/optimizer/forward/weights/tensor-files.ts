import { type FileHandle, open } from 'node:fs/promises';
import { CheckpointError } from '../../../checkpoint/errors.js';
import type { TensorInfo } from '../../../checkpoint/safetensors/reader.js';
import { FLOAT_BYTES, type FloatType } from '../../../kernels/index.js';
import { widenFloats } from './widen.js';

/** Bytes read at a time on their way to f32. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** Reads tensors out of a checkpoint's files, which stay open until `close`. */
export class TensorFiles {
  readonly #tensors: ReadonlyMap<string, TensorInfo>;
  readonly #handles = new Map<string, Promise<FileHandle>>();

  constructor(tensors: ReadonlyMap<string, TensorInfo>) {
    this.#tensors = tensors;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @throws CheckpointError if there is no such tensor. */
  find(name: string): TensorInfo {
    const found = this.#tensors.get(name);
    if (found === undefined) throw new CheckpointError(`there is no tensor ${name}`);
    return found;
  }

  /** Bytes of a tensor from `offset` on. */
  async bytes(
    { path, file, name, offset }: TensorInfo,
    first: number,
    length: number,
  ): Promise<Uint8Array> {
    const handle = await this.#open(path);
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await handle.read(
        bytes,
        filled,
        length - filled,
        offset + first + filled,
      );
      if (bytesRead === 0) {
        throw new CheckpointError('ended while it was read', { file, tensor: name });
      }
      filled += bytesRead;
    }
    return bytes;
  }

  /** Elements of a floating-point tensor as f32, `first` and `count` in elements.
   * @throws CheckpointError for other types. */
  async floats(
    tensor: TensorInfo,
    first: number,
    count: number,
    into?: Float32Array,
  ): Promise<Float32Array> {
    const type = floatType(tensor);
    const size = FLOAT_BYTES[type];
    const values = into?.length === count ? into : new Float32Array(count);
    const step = PIECE_BYTES / size;
    for (let at = 0; at < count; at += step) {
      const amount = Math.min(step, count - at);
      const bytes = await this.bytes(tensor, (first + at) * size, amount * size);
      widenFloats(bytes, type, values.subarray(at, at + amount));
    }
    return values;
  }

  async close(): Promise<void> {
    const handles = await Promise.allSettled(this.#handles.values());
    this.#handles.clear();
    for (const handle of handles) {
      if (handle.status === 'fulfilled') await handle.value.close();
    }
  }

  #open(path: string): Promise<FileHandle> {
    const known = this.#handles.get(path);
    if (known !== undefined) return known;
    const opened = open(path, 'r');
    this.#handles.set(path, opened);
    return opened;
  }
}

/** @throws CheckpointError for a tensor that holds something else than floats. */
export function floatType({ dtype, file, name }: TensorInfo): FloatType {
  if (dtype === 'F32' || dtype === 'F16' || dtype === 'BF16') return dtype;
  throw new CheckpointError(`holds ${dtype}, which are not weights as they stand`, {
    file,
    tensor: name,
  });
}
