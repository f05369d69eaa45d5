import type { KernelPool, ScatterRowsTask } from '../../kernels/index.js';

/** Tensors handed to the workers at a time. Large ones are split over all threads anyway; with small
 * ones, as many must wait as there are threads for none to stand idle. */
const TENSORS_IN_FLIGHT = 16;

/** Hands every tensor's slices to the ranks' files. The workers read and write the files; nothing passes
 * through here, whatever the model's size.
 * @param onDone called after each tensor.
 * @throws KernelFileError naming the file; the signal's reason when it aborts. */
export async function executeScattering(
  tasks: readonly ScatterRowsTask[],
  pool: KernelPool,
  signal: AbortSignal,
  onDone: (task: ScatterRowsTask) => void,
): Promise<void> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const queue = tasks.values();
  const worker = async (): Promise<void> => {
    for (const task of queue) {
      either.throwIfAborted();
      await pool.scatterRows(task, { signal: either });
      onDone(task);
    }
  };
  const workers = Array.from({ length: TENSORS_IN_FLIGHT }, () =>
    worker().catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(workers);
  // The first failure stopped the others; theirs say only that they were stopped.
  failure.signal.throwIfAborted();
}
