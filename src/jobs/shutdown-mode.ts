/** What becomes of running jobs when the service is told to end. */
export const SHUTDOWN_MODES = ['leave', 'finish', 'stop'] as const;

/**
 * `leave`: their steps go on without the service, whose next process takes them over; `finish`: the
 * service waits for them, starting none; `stop`: their steps are ended within the time that a stop
 * gives them, and go on after the next start from what they saved.
 */
export type ShutdownMode = (typeof SHUTDOWN_MODES)[number];
