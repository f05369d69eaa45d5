import { reportableMessage } from './reportable-errors.js';

/** FailureReason's limit in the API. */
const MAX_REASON_LENGTH = 1024;

/** A job cannot go on. The message becomes its FailureReason: what is wrong, and what to do. */
export class JobFailure extends Error {
  override readonly name = 'JobFailure';
}

/**
 * What DescribeOptimizationJob says of an error. Errors made for people keep their text; anything
 * else is our own fault, whose text may name internals and goes to the service's log only.
 */
export function failureReason(error: unknown): string {
  const reason =
    (error instanceof JobFailure ? error.message : reportableMessage(error)) ??
    'An internal error ended the job. The service’s log has the details.';
  return reason.length > MAX_REASON_LENGTH ? `${reason.slice(0, MAX_REASON_LENGTH - 1)}…` : reason;
}
