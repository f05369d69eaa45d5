import type { LogFrame } from './log-frames.js';

/** A line without an end is given out in pieces of this size, so that it can't fill the memory. */
const MAX_LINE_BYTES = 256 * 1024;

const NEWLINE = 0x0a;

/** The engine's timestamps all have nine digits of a second, so they sort as text. */
const ENGINE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/;
/** A program's own timestamp in front of its line; the engine's takes its place. */
const OWN_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z /;
const OWN_TIME_BYTES = 40;

interface Pending {
  readonly time: string;
  readonly parts: Buffer[];
  bytes: number;
}

/**
 * Makes lines of a job's log out of a container's records: each begins with the engine's timestamp, by
 * which a later process of the service knows where to go on.
 */
export class LogLineWriter {
  readonly #pending = new Map<LogFrame['stream'], Pending>();

  /** @param after the timestamp of the last line that the log has; records up to it are left out */
  constructor(private readonly after: string | undefined) {}

  /** The lines that are whole with these records, ready to be appended. */
  push(frames: readonly LogFrame[]): Buffer {
    const whole: Buffer[] = [];
    for (const { stream, payload } of frames) {
      const space = payload.indexOf(' ');
      const time = payload.toString('latin1', 0, Math.max(space, 0));
      if (!ENGINE_TIME.test(time) || (this.after !== undefined && time <= this.after)) continue;
      const text = payload.subarray(space + 1);
      const pending = this.#pending.get(stream) ?? { time, parts: [], bytes: 0 };
      pending.parts.push(text);
      pending.bytes += text.length;
      this.#pending.set(stream, pending);
      // The engine cuts a long line into several records, of which only the last ends with a newline.
      if (text.at(-1) === NEWLINE || pending.bytes >= MAX_LINE_BYTES) {
        whole.push(this.#take(stream, pending));
      }
    }
    return Buffer.concat(whole);
  }

  /** What was written without a newline at the end of the output. */
  end(): Buffer {
    return Buffer.concat(
      [...this.#pending].map(([stream, pending]) => this.#take(stream, pending)),
    );
  }

  #take(stream: LogFrame['stream'], { time, parts }: Pending): Buffer {
    this.#pending.delete(stream);
    const line = Buffer.concat(parts);
    const own = OWN_TIME.exec(line.toString('latin1', 0, OWN_TIME_BYTES))?.[0].length ?? 0;
    const ended = line.at(-1) === NEWLINE ? [] : [Buffer.of(NEWLINE)];
    return Buffer.concat([Buffer.from(`${time} `), line.subarray(own), ...ended]);
  }
}

/** The engine's timestamp in front of a log's line; undefined for a line of the service's own. */
export function engineTimeOf(line: string): string | undefined {
  const time = line.slice(0, line.indexOf(' '));
  return ENGINE_TIME.test(time) ? time : undefined;
}
