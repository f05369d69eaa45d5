import { bucketNameFault, keyFault } from './names.js';

/** An object, or the folder of objects below `key/`; an empty key is the whole bucket. */
export interface ObjectLocation {
  readonly bucket: string;
  /** Without a leading or trailing slash. */
  readonly key: string;
}

/** A URI that does not name a place in S3. */
export class InvalidS3UriError extends Error {
  override readonly name = 'InvalidS3UriError';
  readonly uri: string;

  constructor(uri: string, reason: string) {
    super(`${JSON.stringify(uri.slice(0, 300))} is not a usable S3 URI: ${reason}`);
    this.uri = uri;
  }
}

export interface S3UriOptions {
  /** `host` or `host:port` of S3 endpoints of our own, which take `https://host/bucket/key`. */
  readonly endpointHosts?: readonly string[];
}

/** The length that the SageMaker API allows. */
const MAX_URI_LENGTH = 1024;

/** `s3`, `s3.<region>`, `s3-<region>`, with `dualstack` or `-fips`, under amazonaws.com. */
const AMAZON_HOST =
  /^(?:(?<bucket>.+)\.)?s3(?:-fips)?(?:[.-]dualstack)?(?:[.-][a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?$/;

/** Encoded forms of what must never reach a file system, in case anyone decodes once more. */
const ENCODED_TRICK = /%(?:2e|2f|5c|00)/i;

/**
 * Reads `s3://bucket/key`, or `https://` in the virtual-hosted or the path style of Amazon's hosts
 * (regional or legacy) or of a configured endpoint. One trailing slash is dropped.
 *
 * @throws InvalidS3UriError naming the URI and what is wrong with it
 */
export function parseS3Uri(uri: string, options: S3UriOptions = {}): ObjectLocation {
  const refuse = (reason: string) => new InvalidS3UriError(uri, reason);
  if (uri.length > MAX_URI_LENGTH) throw refuse(`it is longer than ${MAX_URI_LENGTH} characters`);
  if (uri.includes('\0')) throw refuse('it holds a NUL character');
  if (uri.includes('\\')) throw refuse('it holds a backslash');
  const match = /^(s3|https):\/\/([^/]*)(?:\/(.*))?$/s.exec(uri);
  if (match === null) throw refuse('it must begin with s3:// or https://');
  const [, scheme, authority = '', rest = ''] = match;
  const { bucket, key } =
    scheme === 's3'
      ? { bucket: authority, key: rest }
      : fromHttps(authority, rest, options, refuse);

  const fault = bucketNameFault(bucket);
  if (fault !== undefined) throw refuse(`the bucket name ${JSON.stringify(bucket)}: ${fault}`);
  if (key !== '') {
    const problem = keyFault(key);
    if (problem !== undefined) throw refuse(problem.reason);
    if (key.includes('\\')) throw refuse('it holds a backslash');
    if (ENCODED_TRICK.test(key)) {
      throw refuse('the key holds an encoded dot, slash, backslash or NUL');
    }
  }
  return { bucket, key: key.endsWith('/') ? key.slice(0, -1) : key };
}

function fromHttps(
  authority: string,
  rest: string,
  options: S3UriOptions,
  refuse: (reason: string) => InvalidS3UriError,
): ObjectLocation {
  if (authority.includes('@')) throw refuse('it holds a user name');
  if (/[?#]/.test(authority) || /[?#]/.test(rest)) throw refuse('it has a query or a fragment');
  const path = decodePath(rest, refuse);
  const host = authority.toLowerCase();
  if (options.endpointHosts?.includes(host)) return splitPathStyle(path);
  const amazon = AMAZON_HOST.exec(host);
  if (amazon === null) {
    throw refuse(
      `the host ${JSON.stringify(authority)} is neither Amazon S3 nor this service's S3`,
    );
  }
  const bucket = amazon.groups?.bucket;
  return bucket === undefined ? splitPathStyle(path) : { bucket, key: path };
}

function splitPathStyle(path: string): ObjectLocation {
  const slash = path.indexOf('/');
  if (slash < 0) return { bucket: path, key: '' };
  return { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}

function decodePath(path: string, refuse: (reason: string) => InvalidS3UriError): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw refuse('it is not correctly percent-encoded');
  }
}

/** A location as an `s3://` URI; a bucket alone has no slash behind it. */
export function formatS3Uri(location: ObjectLocation): string {
  return location.key === ''
    ? `s3://${location.bucket}`
    : `s3://${location.bucket}/${location.key}`;
}

/** Whether `inner` is `outer` or lies in the folder that it names. */
export function isInside(outer: ObjectLocation, inner: ObjectLocation): boolean {
  if (outer.bucket !== inner.bucket) return false;
  return outer.key === '' || inner.key === outer.key || inner.key.startsWith(`${outer.key}/`);
}
