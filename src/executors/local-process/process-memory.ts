import { writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** Of 1,000: when memory runs out, the system ends the step before the service that looks after it. */
const STEP_OOM_SCORE = 500;

/** Descendants that are looked at; a step has a handful. */
const MAX_PROCESSES = 1000;

/**
 * Makes a process the one to end when memory runs out, and what it starts from then on. Nothing happens
 * where the system has no such thing.
 */
export function endFirstWithoutMemory(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(STEP_OOM_SCORE));
  } catch {
    // It ended already, or this is not Linux.
  }
}

/** Resident memory of a process and all its descendants, in bytes; undefined where nobody can tell. */
export async function memoryOfProcess(pid: number): Promise<number | undefined> {
  let sum: number | undefined;
  const pids = [pid];
  for (let at = 0; at < pids.length && at < MAX_PROCESSES; at += 1) {
    const each = pids[at] ?? 0;
    const [status, children] = await Promise.all([
      readText(`/proc/${each}/status`),
      readText(`/proc/${each}/task/${each}/children`),
    ]);
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
    if (kilobytes !== undefined) sum = (sum ?? 0) + Number(kilobytes) * 1024;
    pids.push(...children.split(' ').filter(Boolean).map(Number));
  }
  return sum;
}

const readText = (path: string) => readFile(path, 'utf8').catch(() => '');
