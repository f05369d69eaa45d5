/**
 * The canonical form of an HTTP request that Signature Version 4 signs, worked out from the bytes
 * as received, so that the server and the client hash the same text.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */

/** Bytes that are written as they are: RFC 3986's unreserved characters. */
const UNRESERVED = new Set(
  Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~', 'latin1'),
);
const SLASH = 0x2f;
const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

const ESCAPES = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

/** Percent-encodes every byte but the unreserved ones (and `/` where it separates segments). */
export function percentEncode(bytes: Uint8Array, keepSlash: boolean): string {
  let text = '';
  for (const byte of bytes) {
    text +=
      UNRESERVED.has(byte) || (keepSlash && byte === SLASH)
        ? String.fromCharCode(byte)
        : (ESCAPES[byte] ?? '');
  }
  return text;
}

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Undoes percent-encoding byte by byte; a `%` that starts no escape stays as it is. */
export function percentDecode(text: string, plusIsSpace: boolean): Buffer {
  const source = Buffer.from(text, 'latin1');
  const target = Buffer.allocUnsafe(source.length);
  let length = 0;
  for (let index = 0; index < source.length; index += 1) {
    const byte = source[index] ?? 0;
    const high = byte === PERCENT ? hexDigit(source[index + 1]) : -1;
    const low = high >= 0 ? hexDigit(source[index + 2]) : -1;
    if (low >= 0) {
      target[length] = high * 16 + low;
      index += 2;
    } else {
      target[length] = plusIsSpace && byte === PLUS ? SPACE : byte;
    }
    length += 1;
  }
  return target.subarray(0, length);
}

/** The path and the query of a request target, split at the first `?`. */
export function splitTarget(rawUrl: string): { readonly path: string; readonly query: string } {
  const mark = rawUrl.indexOf('?');
  if (mark < 0) return { path: rawUrl, query: '' };
  return { path: rawUrl.slice(0, mark), query: rawUrl.slice(mark + 1) };
}

/** S3 signs the path as the key spells it: encoded once, dots and double slashes kept. */
function canonicalS3Path(path: string): string {
  return percentEncode(percentDecode(path, false), true) || '/';
}

/** Other services sign the normalized path, with each already encoded segment encoded again. */
function canonicalServicePath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') segments.pop();
    else segments.push(segment);
  }
  const trailing = segments.length > 0 && /\/\.{0,2}$/.test(path) ? '/' : '';
  const encoded = segments.map((segment) => percentEncode(Buffer.from(segment, 'latin1'), false));
  return `/${encoded.join('/')}${trailing}`;
}

export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

/** The query's parameters in the order received, decoded as UTF-8. */
export function parseQuery(query: string): QueryParameter[] {
  return rawParameters(query).map(([name, value]) => ({
    name: name.toString('utf8'),
    value: value.toString('utf8'),
  }));
}

function rawParameters(query: string): [Buffer, Buffer][] {
  if (query === '') return [];
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const name = equals < 0 ? pair : pair.slice(0, equals);
      const value = equals < 0 ? '' : pair.slice(equals + 1);
      return [percentDecode(name, true), percentDecode(value, true)];
    });
}

function canonicalQuery(query: string, leaveOut: string | undefined): string {
  return rawParameters(query)
    .map(([name, value]): [string, string] => [
      percentEncode(name, false),
      percentEncode(value, false),
    ])
    .filter(([name]) => name !== leaveOut)
    .sort(([nameA, valueA], [nameB, valueB]) =>
      nameA === nameB ? compare(valueA, valueB) : compare(nameA, nameB),
    )
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export interface CanonicalRequestInput {
  readonly method: string;
  /** Path and query exactly as received. */
  readonly rawUrl: string;
  /** Lower-cased names; values as Node gives them (one character a byte). */
  readonly headers: ReadonlyMap<string, string>;
  readonly signedHeaders: readonly string[];
  readonly payloadHash: string;
  /** `s3` signs the path encoded once; every other service encodes it twice. */
  readonly service: string;
  /** A query parameter that is not part of what was signed (the presigned form's own signature). */
  readonly leaveOutParameter?: string;
}

/** The canonical request as bytes, ready to be hashed. */
export function canonicalRequest(input: CanonicalRequestInput): Buffer {
  const { path, query } = splitTarget(input.rawUrl);
  const headers = input.signedHeaders.map((name) => {
    const value = (input.headers.get(name) ?? '').trim().replace(/ +/g, ' ');
    return `${name}:${value}\n`;
  });
  const text = [
    input.method,
    input.service === 's3' ? canonicalS3Path(path) : canonicalServicePath(path),
    canonicalQuery(query, input.leaveOutParameter),
    headers.join(''),
    input.signedHeaders.join(';'),
    input.payloadHash,
  ].join('\n');
  return Buffer.from(text, 'latin1');
}
