import { createHash, createHmac } from 'node:crypto';
import { KEY } from './s3-server.js';

const hmac = (key: string | Buffer, text: string) =>
  createHmac('sha256', key).update(text, 'utf8').digest();
export const sha256Hex = (data: string | Uint8Array) =>
  createHash('sha256').update(data).digest('hex');

export interface Signed {
  readonly headers: Record<string, string>;
  readonly signature: string;
  /** Signs one chunk on top of the signature before it. */
  chunk(previous: string, data: Uint8Array): string;
  trailer(previous: string, text: string): string;
}

/** Signs a request whose path and query need no encoding, as a client of S3 does. */
export function sign(
  method: string,
  target: string,
  headers: Record<string, string>,
  payloadHash: string,
): Signed {
  const timestamp = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const date = timestamp.slice(0, 8);
  const scope = `${date}/us-east-1/s3/aws4_request`;
  const all: Record<string, string> = {
    ...headers,
    'x-amz-date': timestamp,
    'x-amz-content-sha256': payloadHash,
  };
  const names = Object.keys(all).sort();
  const [path = '', query = ''] = target.split('?');
  const canonical = [
    method,
    path,
    query
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => pair.split('='))
      .sort(([a = ''], [b = '']) => (a < b ? -1 : 1))
      .map(([name, value = '']) => `${name}=${value}`)
      .join('&'),
    ...names.map((name) => `${name}:${all[name]}`),
    '',
    names.join(';'),
    payloadHash,
  ].join('\n');
  const key = [date, 'us-east-1', 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${KEY.secretAccessKey}`,
  );
  const mac = (algorithm: string, ...rest: string[]) =>
    hmac(key, [algorithm, timestamp, scope, ...rest].join('\n')).toString('hex');
  const signature = mac('AWS4-HMAC-SHA256', sha256Hex(canonical));
  return {
    headers: {
      ...all,
      authorization: `AWS4-HMAC-SHA256 Credential=${KEY.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
    },
    signature,
    chunk: (previous, data) =>
      mac('AWS4-HMAC-SHA256-PAYLOAD', previous, sha256Hex(''), sha256Hex(data)),
    trailer: (previous, text) => mac('AWS4-HMAC-SHA256-TRAILER', previous, sha256Hex(text)),
  };
}
