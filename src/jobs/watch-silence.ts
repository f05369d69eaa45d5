import { stat } from 'node:fs/promises';

/** How many looks fit into the time that a step may be silent. */
const LOOKS = 10;

/**
 * Calls back once when nothing was written to a file for a time.
 *
 * @param path a file that is appended to by whoever is watched; it may not exist yet
 * @returns a function that ends the watch
 */
export function watchSilence(path: string, limitMs: number, callback: () => void): () => void {
  let heard = Date.now();
  const timer = setInterval(async () => {
    const modified = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
    heard = Math.max(heard, modified);
    if (Date.now() - heard < limitMs) return;
    clearInterval(timer);
    callback();
  }, limitMs / LOOKS);
  timer.unref();
  return () => clearInterval(timer);
}
