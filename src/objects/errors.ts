import { formatS3Uri, type ObjectLocation } from './s3-uri.js';

/** Why a store refuses: S3's own error codes, and a few of ours where S3 has no such case. */
export type ObjectStoreErrorCode =
  | 'AccessDenied'
  | 'BadDigest'
  | 'BucketAlreadyOwnedByYou'
  | 'BucketNotEmpty'
  | 'EntityTooLarge'
  | 'EntityTooSmall'
  | 'IncompleteBody'
  | 'InsufficientStorage'
  | 'InternalError'
  | 'InvalidArchive'
  | 'InvalidArgument'
  | 'InvalidBucketName'
  | 'InvalidPart'
  | 'InvalidPartOrder'
  | 'InvalidRange'
  | 'InvalidRequest'
  | 'KeyConflict'
  | 'KeyTooLongError'
  | 'LocationNotEmpty'
  | 'NoSuchBucket'
  | 'NoSuchKey'
  | 'NoSuchUpload'
  | 'NothingAtLocation'
  | 'PreconditionFailed'
  | 'StoreUnavailable';

/** What an object store answers when it cannot do what was asked. */
export class ObjectStoreError extends Error {
  override readonly name: string = 'ObjectStoreError';
  readonly code: ObjectStoreErrorCode;

  constructor(code: ObjectStoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Something is already at the location that a result should be published to. */
export class LocationNotEmptyError extends ObjectStoreError {
  override readonly name = 'LocationNotEmptyError';

  constructor(location: ObjectLocation) {
    super(
      'LocationNotEmpty',
      `${formatS3Uri(location)} already holds objects; name an output location with nothing in it`,
    );
  }
}

/** There is neither an object nor a folder of objects at the location. */
export class NothingAtLocationError extends ObjectStoreError {
  override readonly name = 'NothingAtLocationError';

  constructor(location: ObjectLocation, detail?: string) {
    super(
      'NothingAtLocation',
      `There is nothing at ${formatS3Uri(location)}${detail === undefined ? '; check the bucket and the prefix' : `: ${detail}`}`,
    );
  }
}

/** An archive that is broken, hostile or over a limit. */
export class ArchiveError extends ObjectStoreError {
  override readonly name = 'ArchiveError';

  constructor(message: string, options?: ErrorOptions) {
    super('InvalidArchive', message, options);
  }
}

/** The error for a bucket that is not there. */
export function noSuchBucket(bucket: string): ObjectStoreError {
  return new ObjectStoreError(
    'NoSuchBucket',
    `The specified bucket does not exist: ${JSON.stringify(bucket)}`,
  );
}

/** The error for an object that is not there. */
export function noSuchKey(key: string): ObjectStoreError {
  return new ObjectStoreError(
    'NoSuchKey',
    `The specified key does not exist: ${JSON.stringify(key)}`,
  );
}

/** The error for an upload that is not there, or no more. */
export function noSuchUpload(): ObjectStoreError {
  return new ObjectStoreError(
    'NoSuchUpload',
    'The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
  );
}
