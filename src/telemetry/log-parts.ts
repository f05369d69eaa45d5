import { readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/**
 * A step's log is one stream of bytes, whose older parts may lie in files of their own, or be gone:
 *
 *     1-quantization.log.000000000000   bytes from 0 on
 *     1-quantization.log.000093000000   bytes from 93,000,000 on; what lay between was dropped
 *     1-quantization.log                what comes behind, still being written
 *
 * A place in the stream is the same number before and after a rotation, so it can be a client's token.
 */
export interface LogPart {
  readonly path: string;
  /** Where its first byte lies in the stream. */
  readonly start: number;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}

const PART_ENDING = /^\.(\d{12,16})$/;

/** The name of the file that takes the part of a log which begins at a byte of the stream. */
export function partPath(path: string, start: number): string {
  return `${path}.${String(start).padStart(12, '0')}`;
}

/**
 * The parts of a log in the order of the stream, the file that is being written to as the last;
 * undefined where there is no such log.
 *
 * Without a pause in between, so that it never sees half of a rotation by this process.
 */
export function listLogParts(path: string): readonly LogPart[] | undefined {
  const folder = dirname(path);
  const name = basename(path);
  const parts: LogPart[] = [];
  const current = statSync(path, { throwIfNoEntry: false });
  if (current === undefined) return undefined;
  for (const file of readdirSync(folder)) {
    const start = file.startsWith(name)
      ? PART_ENDING.exec(file.slice(name.length))?.[1]
      : undefined;
    if (start === undefined) continue;
    const { size, mtimeMs } = statSync(join(folder, file));
    parts.push({ path: join(folder, file), start: Number(start), size, modified: mtimeMs });
  }
  parts.sort((a, b) => a.start - b.start);
  const start = endOf(parts.at(-1));
  return [...parts, { path, start, size: current.size, modified: current.mtimeMs }];
}

/** The byte of the stream behind a part; 0 where there is none. */
export function endOf(part: LogPart | undefined): number {
  return part === undefined ? 0 : part.start + part.size;
}
