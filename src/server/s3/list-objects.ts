import { percentEncode } from '../../identity/canonical-request.js';
import type { ListPage } from '../../objects/object-store.js';
import { ownerNodes } from './buckets.js';
import { quoted, type S3Call, sendXml } from './s3-call.js';
import { invalidArgument } from './s3-error.js';
import type { XmlNode } from './xml.js';

/** S3's largest page. */
const MAX_PAGE = 1000;

/** Continuation tokens say nothing to the client; this one is the key that a page ended with. */
const TOKEN_PREFIX = '1';

/**
 * A page of a bucket’s objects, 1,000 at most, in the order of the bytes of their keys.
 * @throws S3Error InvalidArgument; ObjectStoreError NoSuchBucket
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 */
export async function listObjectsV2(call: S3Call): Promise<void> {
  const request = readListing(call);
  const token = call.query.get('continuation-token');
  const startAfter = call.query.get('start-after');
  const page = await request.list(token === undefined ? startAfter : decodeToken(token));
  const withOwner = call.query.get('fetch-owner') === 'true';
  sendXml(call, 'ListBucketResult', [
    ...request.head,
    ['StartAfter', startAfter === undefined ? undefined : request.encode(startAfter)],
    ['ContinuationToken', token],
    [
      'NextContinuationToken',
      page.nextStartAfter === undefined ? undefined : encodeToken(page.nextStartAfter),
    ],
    ['KeyCount', page.objects.length + page.commonPrefixes.length],
    ...pageNodes(call, page, request.encode, withOwner),
  ]);
}

/**
 * The same in the older form, which goes on from a marker.
 * @throws S3Error InvalidArgument; ObjectStoreError NoSuchBucket
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
 */
export async function listObjectsV1(call: S3Call): Promise<void> {
  const request = readListing(call);
  const marker = call.query.get('marker');
  const page = await request.list(marker);
  sendXml(call, 'ListBucketResult', [
    ...request.head,
    ['Marker', request.encode(marker ?? '')],
    [
      'NextMarker',
      page.nextStartAfter === undefined ? undefined : request.encode(page.nextStartAfter),
    ],
    ...pageNodes(call, page, request.encode, true),
  ]);
}

interface Listing {
  readonly encode: (key: string) => string;
  readonly head: readonly XmlNode[];
  list(startAfter: string | undefined): Promise<ListPage>;
}

function readListing(call: S3Call): Listing {
  const { query, store, bucket, signal } = call;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const maxKeys = readCount(query.get('max-keys'), 'max-keys');
  const encode = readEncoding(query.get('encoding-type'));
  return {
    encode,
    head: [
      ['Name', bucket],
      ['Prefix', encode(prefix)],
      ['Delimiter', delimiter === '' ? undefined : encode(delimiter)],
      ['MaxKeys', maxKeys],
      ['EncodingType', query.get('encoding-type')],
    ],
    list: (startAfter = '') =>
      store.list(bucket, { prefix, delimiter, startAfter, maxKeys, signal }),
  };
}

/** A page size: as many as S3 gives at most, if not fewer. @throws S3Error InvalidArgument */
export function readCount(text: string | undefined, name: string): number {
  if (text === undefined || text === '') return MAX_PAGE;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0x7fffffff) {
    throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`);
  }
  return Math.min(Number(text), MAX_PAGE);
}

/** How keys are written into the answer. @throws S3Error InvalidArgument */
export function readEncoding(type: string | undefined): (key: string) => string {
  if (type === undefined) return (key) => key;
  if (type !== 'url') throw invalidArgument('Invalid Encoding Method specified in Request');
  return (key) => percentEncode(Buffer.from(key), true);
}

function pageNodes(
  call: S3Call,
  page: ListPage,
  encode: (key: string) => string,
  withOwner: boolean,
): XmlNode[] {
  const owner = withOwner ? ownerNodes(call) : undefined;
  return [
    ['IsTruncated', page.nextStartAfter !== undefined],
    ...page.objects.map(({ key, size, etag, lastModified, checksum }): XmlNode => {
      return [
        'Contents',
        [
          ['Key', encode(key)],
          ['LastModified', lastModified],
          ['ETag', quoted(etag)],
          ['ChecksumAlgorithm', checksum?.algorithm],
          ['ChecksumType', checksum?.type],
          ['Size', size],
          ['Owner', owner],
          ['StorageClass', 'STANDARD'],
        ],
      ];
    }),
    ...page.commonPrefixes.map(
      (prefix): XmlNode => ['CommonPrefixes', [['Prefix', encode(prefix)]]],
    ),
  ];
}

function encodeToken(key: string): string {
  return TOKEN_PREFIX + Buffer.from(key).toString('base64url');
}

function decodeToken(token: string): string {
  if (!/^1[A-Za-z0-9_-]+$/.test(token)) {
    throw invalidArgument('The continuation token provided is incorrect');
  }
  return Buffer.from(token.slice(TOKEN_PREFIX.length), 'base64url').toString('utf8');
}
