/**
 * Calls `act` for every item, at most `limit` at a time. After a failure no new item is begun; the
 * first error is thrown once those under way have ended.
 */
export async function forEachConcurrently<T>(
  items: Iterable<T> | AsyncIterable<T>,
  limit: number,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const source = inTurn(items);
  let failed = false;
  const worker = async (): Promise<void> => {
    while (!failed) {
      try {
        const { value, done } = await source.next();
        if (done === true) return;
        await act(value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: limit }, worker));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** An async generator answers calls in turn, so that workers may share it. */
async function* inTurn<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
}
