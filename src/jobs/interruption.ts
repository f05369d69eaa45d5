import type { TimeLimit } from './time-limits.js';

/** Why a running job is told to end before it is done. */
export type InterruptionCause =
  | 'stop-requested'
  /** The service goes down and takes the step with it; the job goes on after the next start. */
  | 'service-stop'
  | LeavingCause
  | TimeLimit;

/** What becomes of the job, and of a step that can be reached, is for another process of the service to say. */
type LeavingCause =
  /** The service goes down; the step goes on and is adopted by the next process of the service. */
  | 'service-shutdown'
  /** Another node has the job, and its step. */
  | 'taken-over'
  /** Another node has the job, but can't reach the step that runs here. */
  | 'lease-lost';

/** Whether the job is left to another process of the service as it is. */
export function isLeft(cause: InterruptionCause | undefined): cause is LeavingCause {
  return cause === 'service-shutdown' || cause === 'taken-over' || cause === 'lease-lost';
}

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
