import { closeSync, openSync, readSync } from 'node:fs';
import { readSafetensors } from '../../checkpoint/safetensors/reader.js';
import { type ScatterRowsTask, type ScatterTarget, targetRowBytes } from '../../kernels/index.js';
import { VERIFICATION_SEED, VerificationError } from '../quantization/verify.js';
import { seededRandom } from '../seeded-random.js';
import type { RankFiles } from './shard-files.js';

/** Files of a model and of its ranks that are open at a time; systems allow more. */
const MAX_OPEN_FILES = 256;

/** Reads back one row of every block that was written, drawn by a seeded generator, and compares it with
 * the source, byte for byte.
 * @returns how many rows that were.
 * @throws VerificationError naming the tensor and the file. */
export function verifyRows(tasks: readonly ScatterRowsTask[], signal: AbortSignal): number {
  const random = seededRandom(VERIFICATION_SEED);
  const files = new OpenFiles();
  let rows = 0;
  try {
    for (const task of tasks) {
      signal.throwIfAborted();
      for (const target of task.targets) {
        verifyRow(task, target, Math.floor(random() * target.rows), files);
        rows += 1;
      }
    }
  } finally {
    files.close();
  }
  return rows;
}

function verifyRow(
  { name, source, rowBytes }: ScatterRowsTask,
  target: ScatterTarget,
  row: number,
  files: OpenFiles,
): void {
  const width = targetRowBytes(target);
  const written = files.read(target.path, target.offset + row * width, width);
  const start = source.offset + (target.firstRow + row) * rowBytes;
  let at = 0;
  for (const { first, length } of target.columns) {
    const original = files.read(source.path, start + first, length);
    if (!original.equals(written.subarray(at, at + length))) {
      throw new VerificationError(
        `Tensor ${name}, row ${target.firstRow + row}: ${target.path} holds other bytes than the source`,
      );
    }
    at += length;
  }
}

/** Reads the headers of safetensors files back and compares them with what was planned.
 * @throws VerificationError, CheckpointError naming the file. */
export async function verifyHeaders({ files, tensors }: RankFiles): Promise<void> {
  for (const { path, name } of files) {
    const { tensors: written } = await readSafetensors(path, name);
    const planned = new Map(
      tensors
        .filter((placed) => placed.path === path)
        .map((placed) => [placed.tensor.name, placed]),
    );
    for (const { name: tensor, offset, length } of written) {
      const found = planned.get(tensor);
      if (found?.offset !== offset || found.length !== length) {
        throw new VerificationError(`${name} has ${tensor} where it was not planned`);
      }
    }
    if (written.length !== planned.size) {
      throw new VerificationError(`${name} holds other tensors than were planned`);
    }
  }
}

class OpenFiles {
  readonly #descriptors = new Map<string, number>();

  read(path: string, position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    const count = readSync(this.#open(path), bytes, 0, length, position);
    if (count !== length) throw new VerificationError(`${path} ended while it was verified`);
    return bytes;
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
    this.#descriptors.clear();
  }

  #open(path: string): number {
    const found = this.#descriptors.get(path);
    if (found !== undefined) return found;
    if (this.#descriptors.size >= MAX_OPEN_FILES) this.close();
    const descriptor = openSync(path, 'r');
    this.#descriptors.set(path, descriptor);
    return descriptor;
  }
}
