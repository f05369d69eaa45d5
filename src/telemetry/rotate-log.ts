import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { listLogParts, partPath } from './log-parts.js';

/** How much of a step's log is kept. */
export interface LogSize {
  /** Bytes of all its parts together. */
  readonly maxBytes: number;
}

/** Parts that a log of the largest size is kept in. */
const PARTS = 8;

const LINE_BREAK = 0x0a;

const COPY_BYTES = 1024 * 1024;

/** Copied without a pause at the end of a rotation, during which the service answers nobody. */
const MAX_SYNC_BYTES = 4 * 1024 * 1024;

/** How often the end of a log is copied anew because it moved on. */
const MAX_TRIES = 10;

/** How far a whole line is looked for where a part has to begin in the middle of one. */
const MAX_LINE_BYTES = 64 * 1024;

/** The size at which a log's file is moved to a part of its own. */
export const partBytes = ({ maxBytes }: LogSize): number => Math.ceil(maxBytes / PARTS);

/**
 * Keeps a log within its size: moves what was written to a part of its own once it is long enough, and
 * drops the oldest parts but the first, so that the beginning and the end stay.
 *
 * The step writes to the file itself, appending, and keeps it open; so the file stays, its content is
 * copied and it is emptied. A step that writes faster than it is copied loses the middle of what it
 * wrote, never the room on the disk. A line that is written within the microseconds between the end of
 * the copy and the emptying is lost, and a crash in between leaves some lines twice. Parts end with a
 * whole line, but for lines of more than 64 KB.
 *
 * @returns whether anything was moved
 */
export async function rotateLog(path: string, size: LogSize): Promise<boolean> {
  const parts = listLogParts(path);
  const current = parts?.at(-1);
  if (parts === undefined || current === undefined || current.size < partBytes(size)) return false;
  const wanted = partBytes(size);
  const file = await open(path, 'r');
  try {
    const isFlood = current.size > 2 * wanted;
    if (isFlood && parts.length === 1) {
      await copyPart(file, path, { from: 0, to: await lineStart(file, wanted) });
    }
    const span = {
      from: isFlood ? await lineStart(file, current.size - wanted) : 0,
      to: current.size,
    };
    moveRest(path, current.start, await copyEnd(file, path, span, wanted));
  } finally {
    await file.close();
  }
  await dropMiddle(path, size.maxBytes);
  return true;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** Copies a span of the log's first file to the part that begins there. */
async function copyPart(file: FileHandle, path: string, span: Span): Promise<void> {
  const partial = `${path}.partial`;
  await copySpan(file, partial, span);
  renameSync(partial, partPath(path, span.from));
}

/**
 * Copies the end of the file, and again from further behind where more was written meanwhile than can
 * be taken over without a pause.
 * @returns what was copied
 */
async function copyEnd(file: FileHandle, path: string, span: Span, wanted: number): Promise<Span> {
  let copied = span;
  for (let tries = 1; ; tries += 1) {
    await copySpan(file, `${path}.partial`, copied);
    const { size } = await file.stat();
    if (size - copied.to <= MAX_SYNC_BYTES || tries === MAX_TRIES) return copied;
    copied = { from: await lineStart(file, Math.max(copied.to, size - wanted)), to: size };
  }
}

/** Takes over what was written behind the copy, makes it a part of the log, and empties the file. */
function moveRest(path: string, start: number, { from, to }: Span): void {
  const partial = `${path}.partial`;
  const source = openSync(path, 'r+');
  const target = openSync(partial, 'r+');
  try {
    renameSync(partial, partPath(path, start + from));
    // More than that was only written by a flood that is faster than any copy.
    const most = to + MAX_SYNC_BYTES;
    for (let copied = to; ; ) {
      const size = Math.min(fstatSync(source).size, most);
      if (size <= copied) break;
      copySync(source, target, { from: copied, to: size });
      copied = size;
    }
    const unfinished = cutUnfinished(target);
    ftruncateSync(source);
    // Its end will be appended to it.
    if (unfinished.length > 0) writeSync(source, unfinished, 0, unfinished.length, 0);
  } finally {
    closeSync(source);
    closeSync(target);
  }
}

async function copySpan(source: FileHandle, target: string, { from, to }: Span): Promise<void> {
  rmSync(target, { force: true });
  const copy = await open(target, 'wx');
  try {
    const buffer = Buffer.alloc(COPY_BYTES);
    for (let at = from; at < to; ) {
      const { bytesRead } = await source.read(buffer, 0, Math.min(COPY_BYTES, to - at), at);
      if (bytesRead === 0) break;
      await copy.writeFile(buffer.subarray(0, bytesRead));
      at += bytesRead;
    }
  } finally {
    await copy.close();
  }
}

function copySync(source: number, target: number, { from, to }: Span): void {
  const buffer = Buffer.alloc(Math.max(0, to - from));
  const bytesRead = readSync(source, buffer, 0, buffer.length, from);
  writeSync(target, buffer, 0, bytesRead, fstatSync(target).size);
}

/** Takes the line that is not finished yet off the end of a part. */
function cutUnfinished(target: number): Buffer {
  const { size } = fstatSync(target);
  const end = Buffer.alloc(Math.min(size, MAX_LINE_BYTES));
  readSync(target, end, 0, end.length, size - end.length);
  const start = end.lastIndexOf(LINE_BREAK) + 1;
  if (start === 0) return Buffer.alloc(0);
  ftruncateSync(target, size - end.length + start);
  return end.subarray(start);
}

/** The first byte behind a line break from a place on, or the place itself where there is none near. */
async function lineStart(file: FileHandle, from: number): Promise<number> {
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(MAX_LINE_BYTES),
    0,
    MAX_LINE_BYTES,
    from,
  );
  const end = buffer.subarray(0, bytesRead).indexOf(LINE_BREAK);
  return from + end + 1;
}

/** Removes the oldest parts but the very first until the log is within its size. */
async function dropMiddle(path: string, maxBytes: number): Promise<void> {
  const parts = listLogParts(path) ?? [];
  let sum = parts.reduce((total, part) => total + part.size, 0);
  // The file itself is not a part, and the last part tells where the file begins.
  for (const part of parts.slice(1, -2)) {
    if (sum <= maxBytes) return;
    await rm(part.path, { force: true });
    sum -= part.size;
  }
}
