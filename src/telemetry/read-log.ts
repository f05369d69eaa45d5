import { open } from 'node:fs/promises';

/** The most that one call reads, as CloudWatch Logs' own limit of a page. */
const MAX_PAGE_BYTES = 1024 * 1024;

/** The timestamp that begins a line of ours; lines without one belong to the line before. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z) ?/;

export interface LogLine {
  /** Where it begins in its file, in bytes. */
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly text: string;
}

/** Lines of a log between two places in its file, which are the tokens for going on from there. */
export interface LogPage {
  readonly lines: readonly LogLine[];
  readonly start: number;
  readonly end: number;
}

/** Whole lines from a byte offset on; a line that is still being written is left for later. */
export async function readLogForward(
  path: string,
  offset: number,
  maxLines: number,
): Promise<LogPage> {
  const { text, modified } = await readRange(path, offset, offset + MAX_PAGE_BYTES);
  const lines = wholeLines(text).slice(0, maxLines);
  if (lines.length === 0 && Buffer.byteLength(text) >= MAX_PAGE_BYTES) {
    // A line longer than a page is given in pieces, or nothing behind it would ever be read.
    return {
      lines: withTimes([text], offset, modified),
      start: offset,
      end: offset + MAX_PAGE_BYTES,
    };
  }
  return {
    lines: withTimes(lines, offset, modified),
    start: offset,
    end: offset + byteLengthOf(lines),
  };
}

/** The last whole lines before a byte offset. */
export async function readLogBackward(
  path: string,
  offset: number,
  maxLines: number,
): Promise<LogPage> {
  const from = Math.max(0, offset - MAX_PAGE_BYTES);
  const { text, modified } = await readRange(path, from, offset);
  // Cut off in the middle of a line, unless it begins at the file's head.
  const cut = from === 0 ? 0 : text.indexOf('\n') + 1;
  const all = wholeLines(text.slice(cut));
  const lines = all.slice(-maxLines);
  const end = from + Buffer.byteLength(text.slice(0, cut)) + byteLengthOf(all);
  const start = end - byteLengthOf(lines);
  return { lines: withTimes(lines, start, modified), start, end };
}

/** The size of a log, or undefined where there is none. */
export async function logSize(path: string): Promise<number | undefined> {
  try {
    const file = await open(path);
    try {
      return (await file.stat()).size;
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
}

async function readRange(
  path: string,
  from: number,
  to: number,
): Promise<{ readonly text: string; readonly modified: number }> {
  const file = await open(path);
  try {
    const { size, mtimeMs } = await file.stat();
    const length = Math.max(0, Math.min(to, size) - from);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, from);
    return { text: buffer.toString('utf8', 0, bytesRead), modified: mtimeMs };
  } finally {
    await file.close();
  }
}

const wholeLines = (text: string) => text.split('\n').slice(0, -1);

const byteLengthOf = (lines: readonly string[]) =>
  lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);

function withTimes(lines: readonly string[], start: number, fallback: number): LogLine[] {
  let time = Math.round(fallback);
  let next = start;
  return lines.map((line) => {
    const offset = next;
    next += Buffer.byteLength(line) + 1;
    const stamp = TIMESTAMP.exec(line);
    if (stamp === null) return { offset, time, text: line };
    time = Date.parse(stamp[1] ?? '');
    return { offset, time, text: line.slice(stamp[0].length) };
  });
}
