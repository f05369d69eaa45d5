import { readSync, writeSync } from 'node:fs';
import { KernelFileError } from './errors.js';

/** A file that is open in this process; threads share descriptors. */
export interface OpenFile {
  readonly path: string;
  readonly fd: number;
}

/** The system's code of an error that a file operation threw. */
export function systemErrorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    return error.code;
  }
  return 'UNKNOWN';
}

/** Wraps what the system says with the path and what was to be done to it. */
export function fileError(path: string, action: string, error: unknown): KernelFileError {
  const reason = error instanceof Error ? error.message : String(error);
  return new KernelFileError(path, systemErrorCode(error), `Cannot ${action} ${path}: ${reason}`);
}

/** Fills `target` from byte `position` on; throws KernelFileError when the file ends before. */
export function readFully(file: OpenFile, target: Uint8Array, position: number): void {
  let done = 0;
  while (done < target.byteLength) {
    let count: number;
    try {
      count = readSync(file.fd, target, done, target.byteLength - done, position + done);
    } catch (error) {
      throw fileError(file.path, 'read', error);
    }
    if (count === 0) throw shortFile(file.path, position + target.byteLength, position + done);
    done += count;
  }
}

/** Writes all of `source` at byte `position`. */
export function writeFully(file: OpenFile, source: Uint8Array, position: number): void {
  let done = 0;
  while (done < source.byteLength) {
    try {
      done += writeSync(file.fd, source, done, source.byteLength - done, position + done);
    } catch (error) {
      throw fileError(file.path, 'write', error);
    }
  }
}

/** The error for a file of `size` bytes that should have `wanted`. */
export function shortFile(path: string, wanted: number, size: number): KernelFileError {
  return new KernelFileError(
    path,
    'SHORT_FILE',
    `${path} ends after ${size} bytes where ${wanted} were expected: it is truncated, or its header describes more than it holds.`,
  );
}
