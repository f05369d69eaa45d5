import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import {
  HEADER_BYTES,
  SEGMENT_BYTES,
  sealedLength,
  segmentOffset,
} from '../encrypted-files/format.js';
import type { DataKey } from '../encrypted-files/object-keys.js';
import { readSegments } from '../encrypted-files/read-segments.js';
import { SegmentSealer } from '../encrypted-files/segment-sealer.js';
import { writeHeader } from './encrypted-objects.js';
import { dataFile, type PartRecord, readSlotSize, removePart } from './multipart-files.js';

/** Bytes copied at once. */
const COPY_CHUNK_BYTES = 1024 * 1024;

/** What putting parts together takes besides the parts. */
export interface AssemblyOptions {
  /** Whether nothing else can write to the data file any more. */
  readonly mayTakeData: boolean;
  /** Given when the parts are encrypted, and the whole is to be. */
  readonly dataKey: DataKey | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes one file of the chosen parts and returns its path. Where they are the slots of the data
 * file one after another, that file is it: only parts that waited in files of their own are copied
 * into their slots. Any other choice is copied together.
 */
export async function assembleParts(
  folder: string,
  chosen: readonly PartRecord[],
  arrived: readonly PartRecord[],
  options: AssemblyOptions,
): Promise<string> {
  const { dataKey, mayTakeData } = options;
  const slotSize = await readSlotSize(folder);
  if (!mayTakeData || slotSize === undefined || !fillsSlots(chosen, slotSize, dataKey)) {
    return copyTogether(folder, slotSize ?? 0, chosen, options);
  }
  const path = dataFile(folder);
  const taken = new Set(chosen.map((part) => part.partNumber));
  for (const part of arrived) {
    // What is cut off below must not count as arrived if this attempt ends here.
    if (!taken.has(part.partNumber)) await removePart(folder, part);
  }
  const size = totalSize(chosen);
  const file = await open(path, 'r+');
  try {
    for (const part of chosen) {
      if (part.file === undefined) continue;
      const slot = (part.partNumber - 1) * slotSize;
      const writer = new FileWriter(file, slotPosition(slot, dataKey), slotSealer(slot, dataKey));
      await copyPart(writer, folder, slotSize, part, options);
      await writer.end();
    }
    if (dataKey !== undefined) await writeHeader(file, dataKey, size);
  } finally {
    await file.close();
  }
  await truncate(path, dataKey === undefined ? size : HEADER_BYTES + sealedLength(size));
  return path;
}

/** Where a slot begins in the data file. @param slot its place in the object, in bytes */
export function slotPosition(slot: number, dataKey: unknown): number {
  return dataKey === undefined ? slot : HEADER_BYTES + segmentOffset(slot / SEGMENT_BYTES);
}

/** Seals a slot's bytes as the segments of the object that they are. */
export function slotSealer(
  slot: number,
  dataKey: Pick<DataKey, 'plaintext'> | undefined,
): SegmentSealer | undefined {
  if (dataKey === undefined) return undefined;
  return new SegmentSealer(dataKey.plaintext, '', slot / SEGMENT_BYTES);
}

/** Whether a slot can hold bytes in place: an encrypted one has to begin with a segment. */
export function isPlaceable(slot: number, dataKey: unknown): boolean {
  return dataKey === undefined || slot % SEGMENT_BYTES === 0;
}

/** Whether the parts are numbered 1 to N, all of the slot's size but for a smaller last one. */
function fillsSlots(
  parts: readonly PartRecord[],
  slotSize: number,
  dataKey: DataKey | undefined,
): boolean {
  return parts.every(
    (part, index) =>
      part.partNumber === index + 1 &&
      isPlaceable(index * slotSize, dataKey) &&
      (index === parts.length - 1 ? part.size <= slotSize : part.size === slotSize),
  );
}

async function copyTogether(
  folder: string,
  slotSize: number,
  parts: readonly PartRecord[],
  options: AssemblyOptions,
): Promise<string> {
  const { dataKey } = options;
  const path = join(folder, `${randomUUID()}.whole`);
  const file = await open(path, 'wx');
  try {
    const writer = new FileWriter(file, slotPosition(0, dataKey), slotSealer(0, dataKey));
    for (const part of parts) await copyPart(writer, folder, slotSize, part, options);
    await writer.end();
    if (dataKey !== undefined) await writeHeader(file, dataKey, totalSize(parts));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  return path;
}

async function copyPart(
  writer: FileWriter,
  folder: string,
  slotSize: number,
  part: PartRecord,
  { dataKey, signal }: AssemblyOptions,
): Promise<void> {
  if (part.size === 0) return;
  const slot = part.file === undefined ? (part.partNumber - 1) * slotSize : 0;
  const path = part.file === undefined ? dataFile(folder) : join(folder, part.file);
  if (dataKey === undefined) {
    const range = { start: slot, end: slot + part.size - 1 };
    const bytes = createReadStream(path, { ...range, highWaterMark: COPY_CHUNK_BYTES });
    await writer.copy(bytes, signal);
    return;
  }
  const run = {
    dataKey: dataKey.plaintext,
    size: part.size,
    ...(part.file === undefined
      ? { position: slotPosition(slot, dataKey), firstIndex: slot / SEGMENT_BYTES }
      : { position: 0, place: part.file }),
  };
  const file = await open(path, 'r');
  try {
    await writer.copy(readSegments(file, run, { start: 0, end: part.size - 1 }), signal);
  } finally {
    await file.close();
  }
}

/** Writes bytes to a file one after the other, sealed where they are to be. */
class FileWriter {
  readonly #file: FileHandle;
  readonly #sealer: SegmentSealer | undefined;
  #at: number;

  constructor(file: FileHandle, position: number, sealer: SegmentSealer | undefined) {
    this.#file = file;
    this.#at = position;
    this.#sealer = sealer;
  }

  async copy(bytes: AsyncIterable<Buffer>, signal: AbortSignal | undefined): Promise<void> {
    for await (const chunk of bytes) {
      signal?.throwIfAborted();
      await this.#write(this.#sealer?.push(chunk) ?? [chunk]);
    }
  }

  /** Writes what is still gathered for a segment. */
  async end(): Promise<void> {
    await this.#write(this.#sealer?.end() ?? []);
  }

  async #write(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      let written = 0;
      while (written < piece.byteLength) {
        const { bytesWritten } = await this.#file.write(
          piece,
          written,
          piece.byteLength - written,
          this.#at + written,
        );
        written += bytesWritten;
      }
      this.#at += piece.byteLength;
    }
  }
}

function totalSize(parts: readonly PartRecord[]): number {
  return parts.reduce((sum, part) => sum + part.size, 0);
}
