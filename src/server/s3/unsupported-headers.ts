import { notImplemented, S3Error } from './s3-error.js';

interface UnsupportedHeader {
  readonly name: string | RegExp;
  /** Values that ask for nothing beyond what is done anyway. */
  readonly harmless?: readonly string[];
  readonly what: string;
}

/** Headers of S3 that would change what is stored, and that this front does not carry out. */
const UNSUPPORTED: readonly UnsupportedHeader[] = [
  {
    name: /^x-amz-(?:copy-source-)?server-side-encryption-customer-/,
    what: 'Server-side encryption with a key that the client provides',
  },
  {
    name: 'x-amz-server-side-encryption-context',
    what: 'An encryption context of the client’s own',
  },
  {
    name: 'x-amz-server-side-encryption-bucket-key-enabled',
    harmless: ['false'],
    what: 'A bucket key',
  },
  { name: /^x-amz-object-lock-/, what: 'Object lock' },
  { name: 'x-amz-bucket-object-lock-enabled', harmless: ['false'], what: 'Object lock' },
  { name: 'x-amz-tagging', harmless: [''], what: 'Object tagging: the header x-amz-tagging' },
  { name: 'x-amz-website-redirect-location', what: 'Website redirection' },
  { name: /^x-amz-grant-/, what: 'An access control list' },
  {
    name: 'x-amz-acl',
    harmless: ['private', 'bucket-owner-full-control', 'bucket-owner-read'],
    what: 'An access control list that opens the object to others: the header x-amz-acl',
  },
  { name: 'x-amz-write-offset-bytes', what: 'Appending to an object' },
];

/**
 * Refuses what would otherwise be accepted and ignored.
 * @throws S3Error NotImplemented, InvalidStorageClass
 */
export function refuseUnsupportedHeaders(headers: ReadonlyMap<string, string>): void {
  for (const [name, value] of headers) {
    if (!name.startsWith('x-amz-')) continue;
    if (name === 'x-amz-storage-class' && value !== 'STANDARD') {
      throw new S3Error(
        'InvalidStorageClass',
        400,
        'The storage class you specified is not valid: there is STANDARD only.',
      );
    }
    const found = UNSUPPORTED.find((known) =>
      typeof known.name === 'string' ? known.name === name : known.name.test(name),
    );
    if (found !== undefined && !found.harmless?.includes(value)) throw notImplemented(found.what);
  }
}
