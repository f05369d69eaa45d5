import { open } from 'node:fs/promises';

/** What the optimizer last said of itself. Sizes are bytes of the source. */
export interface ProgressEvent {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly phase: string;
  readonly tensorsDone?: number;
  readonly tensorsTotal?: number;
  readonly bytesDone?: number;
  readonly bytesTotal?: number;
  readonly bytesPerSecond?: number;
  /** The layer that was finished last. */
  readonly layer?: string;
}

/** Enough of the file's end to hold several whole lines. */
const TAIL_BYTES = 8 * 1024;

/** The last whole event of a step's progress file, or undefined before the first. */
export async function readProgress(path: string): Promise<ProgressEvent | undefined> {
  let tail: string;
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const length = Math.min(size, TAIL_BYTES);
      const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
      tail = buffer.toString('utf8');
    } finally {
      await file.close();
    }
  } catch {
    return undefined;
  }
  // Whatever follows the last line break is a line that is still being written.
  const lines = tail.slice(0, tail.lastIndexOf('\n') + 1).split('\n');
  for (const line of lines.reverse()) {
    const event = parseEvent(line);
    if (event !== undefined) return event;
  }
  return undefined;
}

function parseEvent(line: string): ProgressEvent | undefined {
  if (line === '') return undefined;
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (json === null || typeof json !== 'object' || !('phase' in json)) return undefined;
  const fields = json as Readonly<Record<string, unknown>>;
  const numbers = Object.fromEntries(
    ['tensorsDone', 'tensorsTotal', 'bytesDone', 'bytesTotal', 'bytesPerSecond'].flatMap((name) =>
      typeof fields[name] === 'number' ? [[name, fields[name]]] : [],
    ),
  );
  const time = typeof fields.time === 'number' ? fields.time : Date.parse(String(fields.time));
  const layer = typeof fields.layer === 'string' ? { layer: fields.layer } : {};
  return { time, phase: String(fields.phase), ...numbers, ...layer };
}
