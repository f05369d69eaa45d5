import { createHash } from 'node:crypto';
import { type OpenFile, readFully } from './file-access.js';

/** A file to hash in one worker. */
export interface HashFile {
  readonly file: OpenFile;
  readonly size: number;
  /** One Int32, set to other than 0 by the caller to stop the work. */
  readonly stop: SharedArrayBuffer;
}

const CHUNK_BYTES = 1024 * 1024;

/**
 * SHA-256 of a file's first `size` bytes in hexadecimal; undefined when it was told to stop.
 * OpenSSL uses the processor's SHA instructions, which WebAssembly has not.
 */
export function hashFile({ file, size, stop }: HashFile): string | undefined {
  const stopped = new Int32Array(stop);
  const hash = createHash('sha256');
  const buffer = new Uint8Array(Math.min(CHUNK_BYTES, size));
  for (let done = 0; done < size; done += CHUNK_BYTES) {
    if (Atomics.load(stopped, 0) !== 0) return undefined;
    const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, size - done));
    readFully(file, chunk, done);
    hash.update(chunk);
  }
  return hash.digest('hex');
}
