/** When and how soon to try again. Source: AWS SDKs and Tools reference, "Retry behavior". */
import { setTimeout as sleep } from 'node:timers/promises';
import { InterruptedError } from '../output/errors.js';
import { ConnectionError } from './errors.js';
import type { HttpAnswer } from './http-exchange.js';
import { isError, parseError } from './parse-answer.js';

const TRANSIENT_STATUS: ReadonlySet<number> = new Set([500, 502, 503, 504]);

const RETRIED_CODES: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestTimeout',
  'RequestTimeoutException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);

/** The longest pause before another try. */
const MAX_BACKOFF_MS = 20_000;

export const isWorthRetrying = (answer: HttpAnswer): boolean =>
  isError(answer) &&
  (TRANSIENT_STATUS.has(answer.status) || RETRIED_CODES.has(parseError(answer).code));

/** A certificate that isn't trusted won't be trusted a second later, nor an unreadable answer read. */
export const isTransient = (error: unknown): boolean =>
  error instanceof ConnectionError && error.failure !== 'tls' && error.failure !== 'unreadable';

/**
 * Waits a random part of a time that doubles with every try.
 *
 * @param attempt the try that failed, from 1
 * @throws InterruptedError where the signal fires.
 */
export async function backOff(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const longest = Math.min(MAX_BACKOFF_MS, 1000 * 2 ** (attempt - 1));
  try {
    await sleep(Math.random() * longest, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw new InterruptedError();
  }
}
