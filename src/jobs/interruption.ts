import type { TimeLimit } from './time-limits.js';

/** Why a running job is told to end before it is done. */
export type InterruptionCause =
  | 'stop-requested'
  /** The service goes down; the step goes on and is adopted by the next process of the service. */
  | 'service-shutdown'
  /** The service goes down and takes the step with it; the job goes on after the next start. */
  | 'service-stop'
  | TimeLimit;

/** The reason of the abort signal that a running job watches. */
export class Interruption extends Error {
  override readonly name = 'Interruption';

  constructor(readonly why: InterruptionCause) {
    super(typeof why === 'string' ? why : why.member);
  }
}

/** The interruption behind an aborted signal, or undefined while it is not aborted. */
export function interruptionOf(signal: AbortSignal): Interruption | undefined {
  return signal.reason instanceof Interruption ? signal.reason : undefined;
}
