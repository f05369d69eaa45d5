import { availableParallelism } from 'node:os';

/** More threads than any machine has. */
const MAX_THREADS = 1024;

/** How many threads whoever started this process gave it in `BURNISH_THREADS`; undefined where nobody
 * said a usable number. */
export function givenThreads(
  variables: Readonly<Record<string, string | undefined>> = process.env,
): number | undefined {
  const threads = Number(variables.BURNISH_THREADS);
  return Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS ? threads : undefined;
}

/** Threads for work that keeps processors busy: as many as were given, or else as the machine runs at
 * once. */
export function threadCount(): number {
  return givenThreads() ?? availableParallelism();
}
