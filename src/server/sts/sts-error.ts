import { AccessDeniedError } from '../../identity/access-denied-error.js';
import { AuthenticationError } from '../../identity/authentication-error.js';
import { ServiceError } from '../../service-model/errors.js';
import { RateExceededError } from '../rate-limiter.js';

/** An error as the query protocol words it. */
export class StsError extends Error {
  override readonly name = 'StsError';

  constructor(
    readonly code: string,
    message: string,
    readonly statusCode = 400,
  ) {
    super(message);
  }
}

export const validationError = (message: string): StsError =>
  new StsError('ValidationError', message);

/** The codes of the JSON services, as the query protocol spells them. */
const AUTHENTICATION_CODES: Readonly<Record<string, readonly [code: string, status: number]>> = {
  MissingAuthenticationTokenException: ['MissingAuthenticationToken', 403],
  IncompleteSignatureException: ['IncompleteSignature', 400],
  UnrecognizedClientException: ['InvalidClientTokenId', 403],
  InvalidSignatureException: ['SignatureDoesNotMatch', 403],
  ExpiredTokenException: ['ExpiredToken', 403],
};

/** What STS answers to an error; undefined when the fault is ours. */
export function asStsError(error: unknown): StsError | undefined {
  if (error instanceof StsError) return error;
  if (error instanceof AuthenticationError) {
    const [code, status] = AUTHENTICATION_CODES[error.code] ?? [error.code, error.statusCode];
    return new StsError(code, error.message, status);
  }
  if (error instanceof AccessDeniedError) return new StsError('AccessDenied', error.message, 403);
  if (error instanceof RateExceededError) return new StsError('Throttling', error.message);
  if (error instanceof ServiceError) {
    return new StsError(error.code.replace(/Exception$/, ''), error.message, error.httpStatus);
  }
  return undefined;
}
