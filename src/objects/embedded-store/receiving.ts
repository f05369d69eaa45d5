import type { FileHandle } from 'node:fs/promises';
import { BodyDigests } from '../body-digests.js';
import type { DigestAlgorithm } from '../checksums.js';
import { systemErrorCode } from '../durable-files.js';
import type { SegmentSealer } from '../encrypted-files/segment-sealer.js';
import { ObjectStoreError } from '../errors.js';
import type { Body } from '../object-store.js';
import type { BodyOptions } from '../served-object-store.js';

/** Bytes gathered before they are written: few large writes, and a bound on memory per body. */
const BATCH_BYTES = 1024 * 1024;

export interface ReceivedBody {
  /** Bytes of the body, in clear. */
  readonly size: number;
  readonly digests: ReadonlyMap<DigestAlgorithm, Buffer>;
}

/** Where a body goes. */
export interface BodyPlace {
  readonly file: FileHandle;
  /** Of its first byte in the file. */
  readonly position: number;
  /** Encrypts what is written; digests and lengths are of the bytes in clear. */
  readonly sealer: SegmentSealer | undefined;
}

/**
 * Writes a body to its place in a file, digesting it on the way, and checks its length and
 * its demanded digests. While one batch is being written the next one arrives, so at most two are
 * in memory.
 *
 * @param keep digests to compute besides the demanded ones
 * @throws ObjectStoreError IncompleteBody, InvalidRequest (too long), InsufficientStorage; the
 *   demands' own errors; what the body itself fails with
 */
export async function receiveBody(
  body: Body,
  { file, position, sealer }: BodyPlace,
  keep: readonly DigestAlgorithm[],
  options: BodyOptions,
): Promise<ReceivedBody> {
  const digests = await BodyDigests.start(keep, options.demands ?? []);
  let size = 0;
  let at = position;
  let batch: Uint8Array[] = [];
  let batched = 0;
  let writing: Promise<void> = Promise.resolve();
  const flush = async (): Promise<void> => {
    await writing;
    writing = writeAll(file, batch, batched, at);
    writing.catch(() => undefined); // Awaited at the next flush; not unhandled until then.
    at += batched;
    batch = [];
    batched = 0;
  };
  const take = (pieces: readonly Uint8Array[]) => {
    for (const piece of pieces) {
      batch.push(piece);
      batched += piece.byteLength;
    }
  };
  try {
    for await (const chunk of body) {
      options.signal?.throwIfAborted();
      size += chunk.byteLength;
      if (size > options.expectedLength) {
        throw new ObjectStoreError(
          'InvalidRequest',
          `The body is longer than the ${options.expectedLength} bytes that were announced.`,
        );
      }
      digests.update(chunk);
      take(sealer === undefined ? [chunk] : sealer.push(chunk));
      if (batched >= BATCH_BYTES) await flush();
    }
    if (sealer !== undefined) take(sealer.end());
    if (batched > 0) await flush();
  } finally {
    // The file must not be closed or removed under a write.
    await writing.catch(() => undefined);
  }
  await writing;
  if (size < options.expectedLength) {
    throw new ObjectStoreError(
      'IncompleteBody',
      `You did not provide the number of bytes specified: ${size} came of ${options.expectedLength}.`,
    );
  }

  return { size, digests: digests.finish() };
}

async function writeAll(
  file: FileHandle,
  chunks: readonly Uint8Array[],
  length: number,
  position: number,
): Promise<void> {
  try {
    const { bytesWritten } = await file.writev(chunks, position);
    if (bytesWritten === length) return;
    // A short write: the rest once more, so that the system says what is wrong.
    const rest = Buffer.concat(chunks).subarray(bytesWritten);
    await writeAll(file, [rest], rest.byteLength, position + bytesWritten);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new ObjectStoreError(
        'InsufficientStorage',
        'The disk of the data folder is full; free some space and try again.',
        { cause: error },
      );
    }
    throw error;
  }
}
