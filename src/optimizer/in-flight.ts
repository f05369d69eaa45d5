/** Pieces of work handed to the workers at a time. Large ones are split over all threads anyway; with small
 * ones, as many must wait as there are threads for none to stand idle. */
const IN_FLIGHT = 16;

/** Does something with every item, some of them at a time and begun in their order. The first failure, or the
 * signal, stops what is under way and what is to come.
 * @param work hears of a stop by the signal that it is given.
 * @throws what the first failing work threw, else the signal's reason, once nothing is under way. */
export async function forEachInFlight<Item>(
  items: Iterable<Item>,
  signal: AbortSignal,
  work: (item: Item, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const queue = items[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      either.throwIfAborted();
      await work(next.value, either);
    }
  };
  const workers = Array.from({ length: IN_FLIGHT }, () =>
    worker().catch((error: unknown) => failure.abort(error)),
  );
  await Promise.all(workers);
  // The first failure stopped the others; theirs say only that they were stopped.
  failure.signal.throwIfAborted();
}
