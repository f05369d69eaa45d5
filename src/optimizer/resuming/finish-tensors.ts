import { checkMemory } from '../memory.js';
import type { Phase } from '../progress.js';
import type { StepRun } from '../step-frame.js';
import type { FinishedWork } from './finished-work.js';

/** Work that consists of tensors, each finished by itself at its own place. */
export interface TensorWork<Task> {
  readonly phase: Phase;
  readonly tasks: readonly Task[];
  readonly nameOf: (task: Task) => string;
  /** What progress counts. */
  readonly bytesOf: (task: Task) => number;
  /** Carries tasks out and tells of each that is done. */
  readonly execute: (tasks: readonly Task[], onDone: (task: Task) => void) => Promise<void>;
}

/** Carries out what is not finished yet, and notes what is. The largest tensor goes first, alone, so that
 * what has no chance fails in the first minute; its place is the one that it has in the result.
 * @throws MemoryError with the numbers, and whatever the work throws. */
export async function finishTensors<Task>(
  { log, memoryBytes, progress }: StepRun,
  finished: FinishedWork,
  { phase, tasks, nameOf, bytesOf, execute }: TensorWork<Task>,
): Promise<void> {
  const known = new Set(
    finished.earlier.flatMap((entry) => (entry.kind === 'tensor' ? [entry.tensor] : [])),
  );
  const left = tasks.filter((task) => !known.has(nameOf(task)));
  const bytes = (of: readonly Task[]): number => of.reduce((sum, task) => sum + bytesOf(task), 0);
  let finishedLast = performance.now();
  const note = (task: Task): void => {
    const now = performance.now();
    const seconds = (now - finishedLast) / 1000;
    finishedLast = now;
    finished.note({ kind: 'tensor', tensor: nameOf(task), error: null, seconds });
  };
  const [largest] = [...left].sort((a, b) => bytesOf(b) - bytesOf(a));
  if (largest !== undefined) {
    progress.begin('checking', { tensors: 1, bytes: bytesOf(largest) });
    await execute([largest], note);
    checkMemory(memoryBytes, 0, `${phase} ${nameOf(largest)}`);
    log(`the largest tensor, ${nameOf(largest)}, went through`);
  }
  if (left.length < tasks.length) {
    log(`going on from ${tasks.length - left.length} finished tensors of ${tasks.length}`);
  }
  const others = left.filter((task) => task !== largest);
  progress.begin(phase, { tensors: tasks.length, bytes: bytes(tasks) });
  progress.skip(tasks.length - others.length, bytes(tasks) - bytes(others));
  await execute(others, (task) => {
    note(task);
    progress.advance(1, bytesOf(task), nameOf(task));
  });
}
