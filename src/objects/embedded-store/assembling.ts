import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { dataFile, type PartRecord, readSlotSize, removePart } from './multipart-files.js';

/** Bytes copied at once. */
const COPY_CHUNK_BYTES = 1024 * 1024;

/**
 * Makes one file of the chosen parts and returns its path. Where they are the slots of the data
 * file one after another, that file is it: only parts that waited in files of their own are copied
 * into their slots. Any other choice is copied together.
 *
 * @param mayTakeData whether nothing else can write to the data file any more
 */
export async function assembleParts(
  folder: string,
  chosen: readonly PartRecord[],
  arrived: readonly PartRecord[],
  mayTakeData: boolean,
  signal: AbortSignal | undefined,
): Promise<string> {
  const slotSize = await readSlotSize(folder);
  if (!mayTakeData || slotSize === undefined || !fillsSlots(chosen, slotSize)) {
    return copyTogether(folder, slotSize ?? 0, chosen, signal);
  }
  const path = dataFile(folder);
  const taken = new Set(chosen.map((part) => part.partNumber));
  for (const part of arrived) {
    // What is cut off below must not count as arrived if this attempt ends here.
    if (!taken.has(part.partNumber)) await removePart(folder, part);
  }
  const file = await open(path, 'r+');
  try {
    for (const part of chosen) {
      if (part.file === undefined) continue;
      const position = (part.partNumber - 1) * slotSize;
      await copyInto(file, position, join(folder, part.file), 0, part.size, signal);
    }
  } finally {
    await file.close();
  }
  await truncate(path, totalSize(chosen));
  return path;
}

/** Whether the parts are numbered 1 to N, all of the slot's size but for a smaller last one. */
function fillsSlots(parts: readonly PartRecord[], slotSize: number): boolean {
  return parts.every(
    (part, index) =>
      part.partNumber === index + 1 &&
      (index === parts.length - 1 ? part.size <= slotSize : part.size === slotSize),
  );
}

async function copyTogether(
  folder: string,
  slotSize: number,
  parts: readonly PartRecord[],
  signal: AbortSignal | undefined,
): Promise<string> {
  const path = join(folder, `${randomUUID()}.whole`);
  const file = await open(path, 'wx');
  try {
    let position = 0;
    for (const part of parts) {
      const from = part.file === undefined ? dataFile(folder) : join(folder, part.file);
      const start = part.file === undefined ? (part.partNumber - 1) * slotSize : 0;
      await copyInto(file, position, from, start, part.size, signal);
      position += part.size;
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return path;
}

async function copyInto(
  target: FileHandle,
  position: number,
  source: string,
  start: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (length === 0) return;
  let at = position;
  const bytes: AsyncIterable<Buffer> = createReadStream(source, {
    start,
    end: start + length - 1,
    highWaterMark: COPY_CHUNK_BYTES,
  });
  for await (const chunk of bytes) {
    signal?.throwIfAborted();
    let written = 0;
    while (written < chunk.byteLength) {
      const { bytesWritten } = await target.write(
        chunk,
        written,
        chunk.byteLength - written,
        at + written,
      );
      written += bytesWritten;
    }
    at += chunk.byteLength;
  }
}

function totalSize(parts: readonly PartRecord[]): number {
  return parts.reduce((sum, part) => sum + part.size, 0);
}
