import type { RunningStep } from '../executors/executor.js';

/** Often enough to see a step grow, seldom enough to cost nothing. */
const LOOK_MS = 2_000;

/**
 * Tells how much memory a step takes, time and again, where its executor knows.
 * @returns a function that ends the watch
 */
export function watchMemory(running: RunningStep, tell: (bytes: number) => void): () => void {
  const { memoryBytes } = running;
  if (memoryBytes === undefined) return () => undefined;
  let looking = false;
  const timer = setInterval(async () => {
    if (looking) return;
    looking = true;
    const bytes = await memoryBytes();
    looking = false;
    if (bytes !== undefined) tell(bytes);
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}
