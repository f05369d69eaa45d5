import { open } from 'node:fs/promises';
import { endOf, type LogPart, listLogParts } from './log-parts.js';

/** The most that one call reads, as CloudWatch Logs' own limit of a page. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** The timestamp that begins a line of ours; lines without one belong to the line before. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/;

const LINE_BREAK = 0x0a;

/** How often a read is begun anew because the log was rotated meanwhile. */
const MAX_TRIES = 5;

export interface LogLine {
  /** Where it begins in the log, in bytes. */
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly text: string;
}

/** Lines of a log between two places in it, which are the tokens for going on from there. */
export interface LogPage {
  readonly lines: readonly LogLine[];
  readonly start: number;
  readonly end: number;
}

/**
 * Whole lines from a byte of a log on; a line that is still being written is left for later. Where a
 * part of the log was dropped, one line says so.
 */
export async function readLogForward(
  path: string,
  offset: number,
  maxLines: number,
): Promise<LogPage> {
  let atGap = false;
  const found = await readStretch(path, (parts) => {
    const part = parts.find((it) => endOf(it) > offset);
    if (part === undefined) return { from: offset, to: offset };
    if (part.start > offset) return { dropped: { from: offset, to: part.start, part } };
    const last = stretchEnd(parts, part);
    atGap = last < endOf(parts.at(-1));
    return { from: offset, to: Math.min(offset + MAX_PAGE_BYTES, last) };
  });
  if ('dropped' in found) return droppedPage(found.dropped);
  const { bytes, modified } = found;
  const lines = wholeLines(bytes).slice(0, maxLines);
  if (lines.length === 0 && bytes.length > 0 && (atGap || bytes.length >= MAX_PAGE_BYTES)) {
    // A line longer than a page, or whose end was dropped, is given in pieces: nothing behind it would
    // ever be read otherwise.
    return {
      lines: withTimes([bytes], offset, modified),
      start: offset,
      end: offset + bytes.length,
    };
  }
  return {
    lines: withTimes(lines, offset, modified),
    start: offset,
    end: offset + lengthOf(lines),
  };
}

/** The last whole lines before a byte of a log. */
export async function readLogBackward(
  path: string,
  offset: number,
  maxLines: number,
): Promise<LogPage> {
  let atHead = true;
  const found = await readStretch(path, (parts) => {
    const part = parts.findLast((it) => it.start < offset && it.size > 0);
    if (part === undefined) return { from: offset, to: offset };
    if (endOf(part) < offset && parts.some((it) => it.start > endOf(part))) {
      const next = parts.find((it) => it.start > endOf(part)) ?? part;
      return { dropped: { from: endOf(part), to: Math.min(offset, next.start), part: next } };
    }
    const first = stretchStart(parts, part);
    const from = Math.max(first, offset - MAX_PAGE_BYTES);
    atHead = from === first;
    return { from, to: Math.min(offset, endOf(part)) };
  });
  if ('dropped' in found) return droppedPage(found.dropped);
  const { bytes, from, modified } = found;
  // Cut off in the middle of a line, unless it begins where the stretch does.
  const cut = atHead ? 0 : bytes.indexOf(LINE_BREAK) + 1;
  const all = wholeLines(bytes.subarray(cut));
  const lines = all.slice(-maxLines);
  const end = from + cut + lengthOf(all);
  const start = end - lengthOf(lines);
  return { lines: withTimes(lines, start, modified), start, end };
}

/** How many bytes a log had so far, dropped ones too, or undefined where there is none. */
export async function logSize(path: string): Promise<number | undefined> {
  const parts = listLogParts(path);
  return parts === undefined ? undefined : endOf(parts.at(-1));
}

/** Bytes of a log that are gone. */
interface DroppedBytes {
  readonly from: number;
  readonly to: number;
  /** What comes behind them. */
  readonly part: LogPart;
}

type Wanted = { readonly from: number; readonly to: number } | { readonly dropped: DroppedBytes };

type Found =
  | { readonly bytes: Buffer; readonly from: number; readonly modified: number }
  | { readonly dropped: DroppedBytes };

/** Reads bytes that lie beside each other in the stream, in one part or in several. */
async function readStretch(
  path: string,
  choose: (parts: readonly LogPart[]) => Wanted,
): Promise<Found> {
  for (let tries = 1; ; tries += 1) {
    const parts = listLogParts(path) ?? [];
    const wanted = choose(parts);
    if ('dropped' in wanted) return wanted;
    const { from, to } = wanted;
    const chunks: Buffer[] = [];
    for (const part of parts) {
      const first = Math.max(from, part.start);
      const last = Math.min(to, endOf(part));
      if (first < last) chunks.push(await readPart(part, first - part.start, last - first));
    }
    const bytes = Buffer.concat(chunks);
    // Its last part may have been moved away, or emptied, between the look and the read.
    const still = listLogParts(path)?.at(-1)?.start === parts.at(-1)?.start;
    if ((still && bytes.length === to - from) || tries === MAX_TRIES) {
      return { bytes, from, modified: parts.at(-1)?.modified ?? 0 };
    }
  }
}

async function readPart(part: LogPart, position: number, length: number): Promise<Buffer> {
  try {
    const file = await open(part.path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

/** Where the bytes end that follow a part without a gap, and where those begin that lead up to it. */
function stretchEnd(parts: readonly LogPart[], part: LogPart): number {
  let end = part.start;
  for (const next of parts) if (next.start === end) end = endOf(next);
  return end;
}

function stretchStart(parts: readonly LogPart[], part: LogPart): number {
  let { start } = part;
  for (const before of parts.toReversed()) if (endOf(before) === start) start = before.start;
  return start;
}

function droppedPage({ from, to, part }: DroppedBytes): LogPage {
  const text = `[${to - from} bytes of this log were dropped here: it is longer than what is kept of a log]`;
  return {
    lines: [{ offset: from, time: Math.round(part.modified), text }],
    start: from,
    end: to,
  };
}

/** Lines without their line breaks; what comes behind the last one is none yet. */
function wholeLines(bytes: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  let start = 0;
  for (;;) {
    const end = bytes.indexOf(LINE_BREAK, start);
    if (end < 0) return lines;
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
}

const lengthOf = (lines: readonly Buffer[]) =>
  lines.reduce((sum, line) => sum + line.length + 1, 0);

function withTimes(lines: readonly Buffer[], start: number, fallback: number): LogLine[] {
  let time = Math.round(fallback);
  let next = start;
  return lines.map((bytes) => {
    const offset = next;
    next += bytes.length + 1;
    const line = bytes.toString('utf8');
    const stamp = TIMESTAMP.exec(line);
    if (stamp === null) return { offset, time, text: line };
    time = Date.parse(stamp[1] ?? '');
    return { offset, time, text: line.slice(stamp[0].length) };
  });
}
