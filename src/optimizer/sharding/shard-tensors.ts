import type { KernelPool, ScatterRowsTask } from '../../kernels/index.js';
import { checkMemory } from '../memory.js';
import type { FinishedWork } from '../resuming/finished-work.js';
import type { StepRun } from '../step-frame.js';
import { executeScattering } from './execute.js';

/** Hands every tensor that is not finished yet to its ranks. The largest of them goes first, alone, so that
 * what has no chance fails in the first minute; its place is the one that it has in the result.
 * @throws MemoryError with the numbers, KernelFileError; the signal's reason when it aborts. */
export async function shardTensors(
  { log, memoryBytes, progress, signal }: StepRun,
  tasks: readonly ScatterRowsTask[],
  work: FinishedWork,
  pool: KernelPool,
): Promise<void> {
  const known = new Set(
    work.earlier.flatMap((entry) => (entry.kind === 'tensor' ? [entry.tensor] : [])),
  );
  const left = tasks.filter(({ name }) => !known.has(name));
  const largest = largestOf(left);
  let finishedLast = performance.now();
  const finish = ({ name }: ScatterRowsTask): void => {
    const now = performance.now();
    work.note({ kind: 'tensor', tensor: name, error: null, seconds: (now - finishedLast) / 1000 });
    finishedLast = now;
  };
  if (largest !== undefined) {
    progress.begin('checking', { tensors: 1, bytes: largest.source.length });
    await executeScattering([largest], pool, signal, finish);
    checkMemory(memoryBytes, 0, `sharding ${largest.name}`);
    log(`the largest tensor, ${largest.name}, went through`);
  }
  progress.begin('sharding', { tensors: tasks.length, bytes: bytesOf(tasks) });
  const others = left.filter((task) => task !== largest);
  if (left.length < tasks.length) {
    log(`going on from ${tasks.length - left.length} finished tensors of ${tasks.length}`);
  }
  progress.skip(tasks.length - others.length, bytesOf(tasks) - bytesOf(others));
  await executeScattering(others, pool, signal, (task) => {
    finish(task);
    progress.advance(1, task.source.length, task.name);
  });
}

function largestOf(tasks: readonly ScatterRowsTask[]): ScatterRowsTask | undefined {
  return tasks.reduce<ScatterRowsTask | undefined>(
    (largest, task) =>
      largest === undefined || task.source.length > largest.source.length ? task : largest,
    undefined,
  );
}

function bytesOf(tasks: readonly ScatterRowsTask[]): number {
  return tasks.reduce((sum, { source }) => sum + source.length, 0);
}
