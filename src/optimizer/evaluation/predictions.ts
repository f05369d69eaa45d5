import { NO_TARGET } from '../forward/token-losses.js';

/** Windows of a text and what each of their tokens should predict. */
export interface Predictions {
  /** Consecutive windows, all of one length but the last. */
  readonly windows: readonly Int32Array[];
  /** For each token of all windows the one that follows it in the text; the last has none. */
  readonly targets: Int32Array;
  /** Tokens that are predicted. */
  readonly count: number;
}

/** Cuts a text into consecutive windows. Every token but the first is predicted once, from those before
 * it in its predecessor's window. */
export function cutWindows(ids: Int32Array, window: number): Predictions {
  const windows: Int32Array[] = [];
  for (let first = 0; first < ids.length; first += window) {
    windows.push(ids.subarray(first, first + window));
  }
  const targets = new Int32Array(ids.length).fill(NO_TARGET);
  targets.set(ids.subarray(1));
  return { windows, targets, count: Math.max(0, ids.length - 1) };
}
