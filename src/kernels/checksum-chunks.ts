import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { type OpenFile, readFully } from './file-access.js';

/** A file whose chunks are summed up in one worker. */
export interface ChecksumChunks {
  readonly file: OpenFile;
  readonly size: number;
  /** Bytes of every chunk but the last. */
  readonly chunkBytes: number;
  /** One Int32, set to other than 0 by the caller to stop the work. */
  readonly stop: SharedArrayBuffer;
}

export interface ChunkChecksums {
  /** Of the whole file, in lower-case hexadecimal. */
  readonly sha256: string;
  /** CRC-32 (of zlib, PNG and S3) of each chunk. */
  readonly chunks: readonly number[];
}

const READ_BYTES = 1024 * 1024;

/** Both sums in one pass over a file's first `size` bytes; undefined when it was told to stop. */
export function checksumChunks(task: ChecksumChunks): ChunkChecksums | undefined {
  const { file, size, chunkBytes, stop } = task;
  const stopped = new Int32Array(stop);
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.min(READ_BYTES, size));
  const chunks: number[] = [];
  for (let start = 0; start < size; start += chunkBytes) {
    const end = Math.min(start + chunkBytes, size);
    let crc = 0;
    for (let at = start; at < end; at += READ_BYTES) {
      if (Atomics.load(stopped, 0) !== 0) return undefined;
      const part = buffer.subarray(0, Math.min(READ_BYTES, end - at));
      readFully(file, part, at);
      hash.update(part);
      crc = crc32(part, crc);
    }
    chunks.push(crc);
  }
  return { sha256: hash.digest('hex'), chunks };
}
