/** The longest delay that a Node timer takes; deadlines may be 28 days away. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls back once when a moment has come, however far away it is.
 *
 * @param at milliseconds since the epoch
 * @returns a function that calls it off
 */
export function atDeadline(at: number, callback: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = () => {
    const left = at - Date.now();
    timer =
      left > MAX_TIMER_MS ? setTimeout(arm, MAX_TIMER_MS) : setTimeout(callback, Math.max(left, 0));
    timer.unref();
  };
  arm();
  return () => clearTimeout(timer);
}
