import type { ObjectHeaders, ObjectInfo } from '../../objects/object-store.js';
import { encryptionHeaders } from './encryption-headers.js';
import { type HeaderValues, quoted } from './s3-call.js';
import { S3Error } from './s3-error.js';

const META_PREFIX = 'x-amz-meta-';
/** S3's bound on user metadata: names and values together. */
const MAX_METADATA_BYTES = 2048;
/** What S3 says of an object whose type nobody gave. */
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** The headers kept with an object, and the query parameter that replaces each in one response. */
const KEPT_HEADERS: readonly {
  readonly member: keyof ObjectHeaders;
  readonly header: string;
  readonly override: string;
}[] = [
  { member: 'contentType', header: 'content-type', override: 'response-content-type' },
  { member: 'cacheControl', header: 'cache-control', override: 'response-cache-control' },
  {
    member: 'contentDisposition',
    header: 'content-disposition',
    override: 'response-content-disposition',
  },
  {
    member: 'contentEncoding',
    header: 'content-encoding',
    override: 'response-content-encoding',
  },
  {
    member: 'contentLanguage',
    header: 'content-language',
    override: 'response-content-language',
  },
  { member: 'expires', header: 'expires', override: 'response-expires' },
];

/** The headers that a request gives an object. `aws-chunked` is how it travels, not what it is. */
export function readObjectHeaders(headers: ReadonlyMap<string, string>): ObjectHeaders {
  const kept: { -readonly [member in keyof ObjectHeaders]: ObjectHeaders[member] } = {};
  for (const { member, header } of KEPT_HEADERS) {
    const value = headers.get(header);
    const own = member === 'contentEncoding' ? withoutAwsChunked(value) : value;
    if (own !== undefined && own !== '') kept[member] = own;
  }
  return kept;
}

function withoutAwsChunked(encoding: string | undefined): string | undefined {
  return encoding
    ?.split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding.toLowerCase() !== 'aws-chunked')
    .join(',');
}

/** The user metadata that a request gives an object. @throws S3Error MetadataTooLarge */
export function readMetadata(headers: ReadonlyMap<string, string>): Record<string, string> {
  const metadata: Record<string, string> = {};
  let size = 0;
  for (const [name, value] of headers) {
    if (!name.startsWith(META_PREFIX)) continue;
    const key = name.slice(META_PREFIX.length);
    size += key.length + value.length;
    metadata[key] = value;
  }
  if (size > MAX_METADATA_BYTES) {
    throw new S3Error(
      'MetadataTooLarge',
      400,
      `Your metadata headers exceed the maximum allowed metadata size of ${MAX_METADATA_BYTES} bytes`,
    );
  }
  return metadata;
}

/** What a response says of an object, apart from its length. */
export function objectHeaders(info: ObjectInfo, query: ReadonlyMap<string, string>): HeaderValues {
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    etag: quoted(info.etag),
    'last-modified': info.lastModified.toUTCString(),
    'content-type': DEFAULT_CONTENT_TYPE,
  };
  for (const { member, header, override } of KEPT_HEADERS) {
    const value = query.get(override) ?? info.headers[member];
    if (value !== undefined) headers[header] = value;
  }
  for (const [name, value] of Object.entries(info.metadata)) headers[META_PREFIX + name] = value;
  return { ...headers, ...encryptionHeaders(info.encryption) };
}
