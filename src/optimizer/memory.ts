import { totalmem } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { formatBytes } from './report/table.js';

/** The step takes more memory than it may. */
export class MemoryError extends Error {
  override readonly name = 'MemoryError';
}

/** Bytes that this process may take: what it was told, else what its control group or the machine has. */
export function memoryLimit(told: number | undefined): number {
  if (told !== undefined) return told;
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Holds the most memory that the process has taken so far against what it may take.
 * @param told see {@link memoryLimit}.
 * @param ahead bytes that are known to come on top.
 * @param what took it, for the message.
 * @throws MemoryError with the numbers. */
export function checkMemory(told: number | undefined, ahead: number, what: string): void {
  const limit = memoryLimit(told);
  // Node gives it in kilobytes.
  const peak = process.resourceUsage().maxRSS * 1024;
  if (peak + ahead <= limit) return;
  const more = ahead === 0 ? '' : `, and the samples take ${formatBytes(ahead)} more`;
  throw new MemoryError(
    `there is too little memory: ${what} took the process to ${formatBytes(peak)}${more}, but it may take ${formatBytes(limit)}`,
  );
}

/** By how much the heap may grow before the engine collects garbage on its own. It is some 15 MB, and
 * arrays count on top of it: by its own rule the engine collects twenty times a second while they come and
 * go, which is an eighth of a calibrated job's time. */
const HEAP_GROWTH_PERCENT = 900;

let collect: ((options?: { readonly type: 'minor' }) => void) | undefined;

/** Gives back the memory of arrays that nothing refers to any more: where much has just been left behind
 * and much is about to be taken, in place of whenever the engine thinks of it. Takes milliseconds, since
 * the heap itself is small; those that have not outlived two such calls are given back in a fraction of
 * that. From the first call on the engine collects less often by itself. */
export function releaseArrays(age: 'young' | 'all' = 'all'): void {
  if (collect === undefined) {
    setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as typeof collect;
  }
  if (age === 'young') collect?.({ type: 'minor' });
  else collect?.();
}
