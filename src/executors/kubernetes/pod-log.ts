import { appendFile, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { resumeAfter } from '../docker/container-log.js';
import { LogLineWriter } from '../docker/log-lines.js';
import { type Cluster, statusOf } from './cluster.js';
import { PROGRESS_MARK } from './object-staging/step-order.js';
import { CONTAINER } from './step-labels.js';

/** How long before a log that broke off is taken up again, in milliseconds. */
const RETRY_MS = 500;
/** A line without an end is handed on in pieces, so that it can't fill the memory. */
const MAX_LINE_BYTES = 256 * 1024;
const NEWLINE = 0x0a;

/** `2006-01-02T15:04:05[.999999999](Z|±07:00) `, as nodes put in front of lines. */
const NODE_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) /;
const NODE_TIME_BYTES = 40;

/** Where what a pod writes goes. */
export interface PodLogFiles {
  readonly logFile: string;
  /** For a pod that tells its progress between the lines of its log. */
  readonly progressFile: string | undefined;
}

/**
 * Appends what a pod writes to a job's log, from where the log ends, until all of it is there.
 *
 * @param ended fulfilled when the pod's container has ended; what it wrote is read once more then
 */
export async function appendPodLog(
  cluster: Cluster,
  pod: string,
  files: PodLogFiles,
  ended: Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  await mkdir(dirname(files.logFile), { recursive: true });
  for (;;) {
    const last = over;
    try {
      await appendOnce(cluster, pod, files, !last, signal);
      if (last) return;
    } catch (error) {
      if (signal.aborted) throw error;
      // With its pod, its log is gone.
      if (statusOf(error) === 404) return;
      if (last && statusOf(error) !== undefined) return;
    }
    await Promise.race([ended, delay(RETRY_MS, undefined, { signal })]);
  }
}

async function appendOnce(
  cluster: Cluster,
  pod: string,
  { logFile, progressFile }: PodLogFiles,
  follow: boolean,
  signal: AbortSignal,
): Promise<void> {
  const after = await resumeAfter(logFile);
  const stream = new PassThrough();
  const request = await cluster.log.log(cluster.namespace, pod, CONTAINER, stream, {
    follow,
    timestamps: true,
    // Whole seconds; the lines of that second which the log has are left out one by one.
    ...(after === undefined ? {} : { sinceTime: new Date(secondOf(after)).toISOString() }),
  });
  const onAbort = () => {
    request.abort();
    stream.destroy();
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  const writer = new LogLineWriter(after);
  const lines = new LineReader();
  const file = await open(logFile, 'a');
  try {
    for await (const chunk of stream) {
      for (const line of lines.push(chunk as Buffer)) {
        const event = progressFile === undefined ? undefined : progressIn(line);
        if (progressFile !== undefined && event !== undefined)
          await appendFile(progressFile, event);
        else {
          await file.appendFile(writer.push([{ stream: 'stdout', payload: withWholeTime(line) }]));
        }
      }
    }
    await file.appendFile(writer.end());
  } finally {
    signal.removeEventListener('abort', onAbort);
    await file.close();
  }
}

const secondOf = (time: string): number => Math.floor(Date.parse(time) / 1000) * 1000;

/** The event that a line is instead of one of the log. */
export function progressIn(line: Buffer): Buffer | undefined {
  const start = line.indexOf(' ') + 1;
  return line.subarray(start, start + 1).toString('latin1') === PROGRESS_MARK
    ? line.subarray(start + 1)
    : undefined;
}

/** Nodes leave out zeros at the end of a second; with nine digits, times sort as text. */
export function withWholeTime(line: Buffer): Buffer {
  const found = NODE_TIME.exec(line.toString('latin1', 0, NODE_TIME_BYTES));
  if (found === null) return line;
  const [whole, second, fraction = '', zone] = found;
  const utc = zone === 'Z' ? second : new Date(`${second}${zone}`).toISOString().slice(0, 19);
  return Buffer.concat([
    Buffer.from(`${utc}.${fraction.padEnd(9, '0')}Z `),
    line.subarray(whole.length),
  ]);
}

/** Cuts a stream into lines, each with its newline. */
class LineReader {
  #rest = Buffer.alloc(0);

  push(chunk: Buffer): readonly Buffer[] {
    const lines: Buffer[] = [];
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = bytes.indexOf(NEWLINE);
      const cut = end < 0 && bytes.length >= MAX_LINE_BYTES ? bytes.length : end + 1;
      if (cut === 0) break;
      lines.push(bytes.subarray(0, cut));
      bytes = bytes.subarray(cut);
    }
    this.#rest = Buffer.from(bytes);
    return lines;
  }
}
