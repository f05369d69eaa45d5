import type { StopSignals } from './stop-signals.js';

/**
 * Runs `run(0)` … `run(count - 1)`, at most `width` at a time, and returns their results in order.
 * After a failure or an abort no further piece is begun; the promise settles only when the pieces
 * under way have ended, so that nothing touches the files afterwards.
 *
 * Throws what the first failing piece threw, else the reason for stopping.
 */
export async function runPieces<Result>(
  count: number,
  width: number,
  run: (index: number) => Promise<Result>,
  stop: StopSignals,
): Promise<Result[]> {
  const results: Result[] = [];
  const failures: unknown[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count && failures.length === 0 && !stop.stopped) {
      const index = next++;
      try {
        results[index] = await run(index);
      } catch (error) {
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, width) }, lane));
  if (failures.length > 0) throw failures[0];
  stop.throwIfStopped();
  return results;
}
