import type { FileHandle } from 'node:fs/promises';
import type { ByteRange } from '../object-store.js';
import {
  DamagedFileError,
  openSegment,
  SEALED_SEGMENT_BYTES,
  SEGMENT_BYTES,
  sealedLength,
  segmentOffset,
} from './format.js';

/** Segments read at once: 1 MiB, while the 1 MiB before is being opened. */
const BATCH_SEGMENTS = 16;

/** A run of sealed segments in a file. */
export interface SealedRun {
  readonly dataKey: Uint8Array;
  /** Where segment 0 begins. */
  readonly position: number;
  /** Bytes in clear. */
  readonly size: number;
  readonly place?: string;
  /** The number that the first segment was sealed with; 0 if not given. */
  readonly firstIndex?: number;
}

/**
 * The bytes in clear of a range of a run of segments. No byte is given out before its segment has
 * been found whole.
 * @throws DamagedFileError
 */
export async function* readSegments(
  file: FileHandle,
  run: SealedRun,
  range: ByteRange,
): AsyncGenerator<Buffer> {
  const first = Math.floor(range.start / SEGMENT_BYTES);
  const end = Math.floor(range.end / SEGMENT_BYTES) + 1;
  let next = readBatch(file, run, first, end);
  try {
    for (let at = first; at < end; at += BATCH_SEGMENTS) {
      const batch = await next;
      if (at + BATCH_SEGMENTS < end) {
        next = readBatch(file, run, at + BATCH_SEGMENTS, end);
        next.catch(() => undefined); // Awaited in the next round; not unhandled until then.
      }
      const segments = Math.min(BATCH_SEGMENTS, end - at);
      for (let index = 0; index < segments; index += 1) {
        const sealed = batch.subarray(segmentOffset(index), segmentOffset(index + 1));
        const number = (run.firstIndex ?? 0) + at + index;
        const bytes = openSegment(run.dataKey, run.place ?? '', number, sealed);
        const begin = (at + index) * SEGMENT_BYTES;
        yield bytes.subarray(Math.max(0, range.start - begin), range.end + 1 - begin);
      }
    }
  } finally {
    // The file must not be closed under a read.
    await next.catch(() => undefined);
  }
}

async function readBatch(
  file: FileHandle,
  run: SealedRun,
  first: number,
  end: number,
): Promise<Buffer> {
  const from = segmentOffset(first);
  const to = Math.min(segmentOffset(Math.min(first + BATCH_SEGMENTS, end)), sealedLength(run.size));
  const bytes = Buffer.allocUnsafe(Math.min(to - from, BATCH_SEGMENTS * SEALED_SEGMENT_BYTES));
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await file.read(
      bytes,
      filled,
      bytes.length - filled,
      run.position + from + filled,
    );
    if (bytesRead === 0) throw new DamagedFileError('it is shorter than it was');
    filled += bytesRead;
  }
  return bytes;
}
