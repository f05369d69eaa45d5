import { mkdir, open, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Container } from 'dockerode';
import { listLogParts } from '../../telemetry/log-parts.js';
import { LogFrameReader } from './log-frames.js';
import { engineTimeOf, LogLineWriter } from './log-lines.js';

/** How much of a log's end is looked at for the last line of the engine's; a line is far shorter. */
const TAIL_BYTES = 1024 * 1024;

/**
 * Appends what a container writes to a job's log, from where the log ends, until the container has
 * ended. What an interrupted append left of a line is taken away first.
 *
 * @throws the engine's error when the stream breaks, or the signal's reason
 */
export async function appendContainerLog(
  container: Container,
  logFile: string,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(dirname(logFile), { recursive: true });
  const after = await resumeAfter(logFile);
  const stream = await container.logs({
    follow: true,
    stdout: true,
    stderr: true,
    timestamps: true,
    // Whole seconds; the lines of that second which the log has are left out one by one.
    ...(after === undefined ? {} : { since: Math.floor(Date.parse(after) / 1000) }),
    abortSignal: signal,
  });
  const frames = new LogFrameReader();
  const lines = new LogLineWriter(after);
  const file = await open(logFile, 'a');
  try {
    for await (const chunk of stream) {
      await file.appendFile(lines.push(frames.push(chunk as Buffer)));
    }
    signal.throwIfAborted();
    await file.appendFile(lines.end());
  } finally {
    await file.close();
  }
}

/** The time of the last whole line of the engine's in a log, also where it was moved to an older part. */
export async function resumeAfter(logFile: string): Promise<string | undefined> {
  await cutUnfinished(logFile);
  for (const { path } of listLogParts(logFile)?.toReversed() ?? []) {
    const { text } = await readTail(path);
    const time = text
      .split('\n')
      .map(engineTimeOf)
      .findLast((found) => found !== undefined);
    if (time !== undefined) return time;
  }
  return undefined;
}

async function cutUnfinished(logFile: string): Promise<void> {
  // Made where there is none.
  await (await open(logFile, 'a')).close();
  const { text, from } = await readTail(logFile);
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole !== text) await truncate(logFile, from + Buffer.byteLength(whole, 'latin1'));
}

/** The end of a file, a byte a character, and where it begins. */
async function readTail(path: string): Promise<{ readonly text: string; readonly from: number }> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    return { text: buffer.toString('latin1', 0, bytesRead), from };
  } finally {
    await file.close();
  }
}
