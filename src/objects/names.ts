/** S3's bounds on a key (bytes of UTF-8). */
const MAX_KEY_BYTES = 1024;
/** The longest file name that Linux file systems take, in bytes of UTF-8. */
export const MAX_SEGMENT_BYTES = 255;

/**
 * What is wrong with a bucket name, or undefined if it is a good one.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
 */
export function bucketNameFault(bucket: string): string | undefined {
  if (bucket.length < 3 || bucket.length > 63) return 'a bucket name has 3 to 63 characters';
  if (!/^[a-z0-9][a-z0-9.-]*[a-z0-9]$/.test(bucket)) {
    return 'a bucket name has lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit';
  }
  if (/\.\.|\.-|-\./.test(bucket)) {
    return 'a bucket name has no two dots in a row and no dot beside a hyphen';
  }
  if (/^\d+\.\d+\.\d+\.\d+$/.test(bucket)) return 'a bucket name is not an IP address';
  return undefined;
}

/** A fault of a key, and whether it is its length. */
export interface KeyFault {
  readonly reason: string;
  readonly tooLong: boolean;
}

/**
 * What keeps a key from being a path of plain files below its bucket, or undefined if nothing does.
 * A trailing slash is allowed: such a key names a folder.
 */
export function keyFault(key: string): KeyFault | undefined {
  if (key === '') return { reason: 'the key is empty', tooLong: false };
  if (Buffer.byteLength(key) > MAX_KEY_BYTES) {
    return { reason: `the key is longer than ${MAX_KEY_BYTES} bytes`, tooLong: true };
  }
  if (/\p{Surrogate}|\uFFFD/u.test(key)) {
    return { reason: 'the key is not valid UTF-8', tooLong: false };
  }
  if (key.includes('\0')) return { reason: 'the key holds a NUL character', tooLong: false };
  const path = key.endsWith('/') ? key.slice(0, -1) : key;
  for (const segment of path.split('/')) {
    if (segment === '') return { reason: 'the key has an empty path segment', tooLong: false };
    if (segment === '.' || segment === '..') {
      return { reason: `the key has the path segment "${segment}"`, tooLong: false };
    }
    if (Buffer.byteLength(segment) > MAX_SEGMENT_BYTES) {
      return {
        reason: `the key has a path segment longer than ${MAX_SEGMENT_BYTES} bytes`,
        tooLong: true,
      };
    }
  }
  return undefined;
}
