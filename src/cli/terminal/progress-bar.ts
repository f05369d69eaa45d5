import type { OptimizationJobProgress } from '../../service-model/burnish-operations.js';

/** Shows a job's progress: a live bar on a terminal, a line for each change elsewhere. */
export interface ProgressReporter {
  update(progress: OptimizationJobProgress): void;
  /** Takes the bar away, or leaves its last state on a line of its own. */
  finish(progress?: OptimizationJobProgress): void;
}

export function createProgressReporter(
  _stream: NodeJS.WriteStream = process.stderr,
): ProgressReporter {
  throw new Error('being written');
}
