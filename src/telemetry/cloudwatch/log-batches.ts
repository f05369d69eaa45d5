import type { LogLine } from '../read-log.js';

/** One event of PutLogEvents. */
export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly message: string;
}

/** Limits of PutLogEvents, from its API reference: events and bytes of a batch, what each event counts
 * beside its message, the longest event, and the time that a batch may span. */
const MAX_EVENTS = 10_000;
const MAX_BATCH_BYTES = 1_048_576;
const EVENT_OVERHEAD_BYTES = 26;
const MAX_EVENT_BYTES = 256 * 1024 - EVENT_OVERHEAD_BYTES;
const MAX_SPAN_MS = 24 * 3600 * 1000;

/**
 * Lines of a log as batches that PutLogEvents takes: within its limits, in the order of time within a
 * batch, and a line without text left out, since an event can't be empty. A line that is too long
 * becomes several events.
 */
export function* logBatches(lines: Iterable<LogLine>): Generator<readonly LogEvent[]> {
  let batch: LogEvent[] = [];
  let bytes = 0;
  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  const take = () => {
    const full = batch.sort((a, b) => a.timestamp - b.timestamp);
    batch = [];
    bytes = 0;
    first = Number.POSITIVE_INFINITY;
    last = Number.NEGATIVE_INFINITY;
    return full;
  };
  for (const { time, text } of lines) {
    for (const message of pieces(text)) {
      const size = Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES;
      const span = Math.max(last, time) - Math.min(first, time);
      if (batch.length === MAX_EVENTS || bytes + size > MAX_BATCH_BYTES || span >= MAX_SPAN_MS) {
        if (batch.length > 0) yield take();
      }
      batch.push({ timestamp: time, message });
      bytes += size;
      first = Math.min(first, time);
      last = Math.max(last, time);
    }
  }
  if (batch.length > 0) yield take();
}

/** A text cut where it is too long for one event, never within a character. */
function* pieces(text: string): Generator<string> {
  if (text === '') return;
  let rest = Buffer.from(text);
  while (rest.length > MAX_EVENT_BYTES) {
    let end = MAX_EVENT_BYTES;
    // Bytes that go on with a character begin with the bits 10.
    while (((rest[end] ?? 0) & 0xc0) === 0x80) end -= 1;
    yield rest.toString('utf8', 0, end);
    rest = rest.subarray(end);
  }
  yield rest.toString('utf8');
}
