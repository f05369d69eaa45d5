import { KeyError } from '../../encryption/key-error.js';
import { AccessDeniedError } from '../../identity/access-denied-error.js';
import { AuthenticationError } from '../../identity/authentication-error.js';
import { ObjectStoreError, type ObjectStoreErrorCode } from '../../objects/errors.js';
import { RateExceededError } from '../rate-limiter.js';

/** An error as S3 words it. */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: string;
  readonly statusCode: number;

  constructor(code: string, statusCode: number, message: string) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
  }
}

/** An argument has a value that it cannot have. */
export function invalidArgument(message: string): S3Error {
  return new S3Error('InvalidArgument', 400, message);
}

/** Headers or parameters do not go together. */
export function invalidRequest(message: string): S3Error {
  return new S3Error('InvalidRequest', 400, message);
}

/** A request’s document is not what the operation takes. */
export function malformedXml(): S3Error {
  return new S3Error(
    'MalformedXML',
    400,
    'The XML you provided was not well-formed or did not validate against our published schema',
  );
}

/**
 * What S3 has and this front does not.
 * @param what begins the message: the header or operation.
 */
export function notImplemented(what: string): S3Error {
  return new S3Error(
    'NotImplemented',
    501,
    `${what} implies functionality that is not implemented.`,
  );
}

const STATUS_CODES: Record<ObjectStoreErrorCode, number> = {
  AccessDenied: 403,
  BadDigest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  InsufficientStorage: 507,
  InternalError: 500,
  InvalidArchive: 400,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  KeyConflict: 409,
  KeyTooLongError: 400,
  LocationNotEmpty: 409,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NothingAtLocation: 404,
  PreconditionFailed: 412,
  StoreUnavailable: 503,
};

/** What S3 answers to an error; undefined when the fault is ours. */
export function asS3Error(error: unknown): S3Error | undefined {
  if (error instanceof S3Error) return error;
  if (error instanceof ObjectStoreError) {
    return new S3Error(error.code, STATUS_CODES[error.code], error.message);
  }
  if (error instanceof KeyError) return new S3Error(`KMS.${error.code}`, 400, error.message);
  if (error instanceof AuthenticationError) {
    return new S3Error(error.s3.code, error.s3.statusCode, error.s3.message);
  }
  if (error instanceof AccessDeniedError) {
    // S3 puts the resource in quotes.
    const { resource } = error.denied;
    const message = error.message.replace(
      `resource: ${resource} `,
      () => `resource: "${resource}" `,
    );
    return new S3Error('AccessDenied', 403, message);
  }
  if (error instanceof RateExceededError) {
    return new S3Error('SlowDown', 503, 'Please reduce your request rate.');
  }
  return undefined;
}
