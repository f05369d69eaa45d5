import { percentDecode, splitTarget } from '../../identity/canonical-request.js';

/** What a request is for. */
export interface S3Address {
  /** Empty when the request is for the service itself. */
  readonly bucket: string;
  /** Empty when the request is for a bucket. */
  readonly key: string;
}

/**
 * The bucket and key that a request is for: `http://host/bucket/key`, or `http://bucket.host/key`
 * where `host` is one of the names that take buckets in front.
 */
export function readAddress(
  rawUrl: string,
  host: string,
  virtualHosts: readonly string[],
): S3Address {
  const path = splitTarget(rawUrl).path.replace(/^\//, '');
  const name = host.toLowerCase().replace(/:\d+$/, '');
  const suffix = virtualHosts.find((known) => name.endsWith(`.${known}`));
  if (suffix !== undefined) {
    return { bucket: name.slice(0, -suffix.length - 1), key: decode(path) };
  }
  const slash = path.indexOf('/');
  if (slash < 0) return { bucket: decode(path), key: '' };
  return { bucket: decode(path.slice(0, slash)), key: decode(path.slice(slash + 1)) };
}

/** Bytes that are not UTF-8 become U+FFFD, which no bucket or key may hold. */
function decode(text: string): string {
  return percentDecode(text, false).toString('utf8');
}
