import type { RunningStep } from './executor.js';

/** A step that has ended by itself before it was adopted, as its exit file tells. */
export function endedStep(handle: unknown, code: number): RunningStep {
  return {
    handle,
    exit: Promise.resolve({ code, signal: undefined }),
    signal: () => undefined,
    leave: () => undefined,
  };
}
