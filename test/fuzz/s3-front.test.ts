import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningService, startTestService } from '../support/running-service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Draw, fuzz } from './fuzz.js';
import { PlainClient } from './http.js';
import { mutateBytes, mutateText, wellFormed } from './mutate.js';

/** Buckets and keys of which some are there. */
const PATHS = [
  '/',
  '/models',
  '/models/',
  '/models/a',
  '/models/a/b',
  '/models/folder/',
  '/models/new/object',
  '/models/sealed',
  '/missing/a',
  '/models/../../escaped',
  '/models/..%2f..%2fescaped',
  '/models/%2e%2e/%2e%2e/escaped',
  '/models//a',
  '/models/%00',
  '/models/%ff%fe',
  '/models/a%5c..%5cb',
  '/models/link/escaped',
  '/..%2fescaped/a',
  '/%2e%2e/a',
] as const;

const QUERIES = [
  '',
  'list-type=2',
  'list-type=2&prefix=a&delimiter=/&max-keys=2&start-after=a&encoding-type=url',
  'list-type=2&continuation-token=YQ',
  'prefix=..%2F..%2F&marker=a',
  'location',
  'versioning',
  'uploads',
  'delete',
  'tagging',
  'acl',
  'partNumber=1&uploadId=0123456789abcdef0123456789abcdef',
  'partNumber=1&uploadId=UPLOAD',
  'uploadId=UPLOAD',
  'uploadId=../../escaped',
  'versionId=null',
  'response-content-type=text%2Fplain',
  'X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260101T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00',
] as const;

const HEADERS: readonly (readonly [string, string])[] = [
  ['range', 'bytes=0-1'],
  ['if-match', '"0cc175b9c0f1b6a831c399e269772661"'],
  ['if-none-match', '*'],
  ['if-modified-since', 'Mon, 01 Jan 2026 00:00:00 GMT'],
  ['content-md5', '1B2M2Y8AsgTpgAmY7PhCfg=='],
  ['x-amz-checksum-crc32', 'AAAAAA=='],
  ['x-amz-checksum-algorithm', 'SHA256'],
  ['x-amz-checksum-type', 'COMPOSITE'],
  ['x-amz-sdk-checksum-algorithm', 'CRC32'],
  ['x-amz-copy-source', '/models/a'],
  ['x-amz-copy-source', '/models/..%2f..%2fescaped'],
  ['x-amz-copy-source-range', 'bytes=0-1'],
  ['x-amz-metadata-directive', 'REPLACE'],
  ['x-amz-meta-a', 'b'],
  ['x-amz-mp-object-size', '10'],
  ['x-amz-storage-class', 'STANDARD'],
  ['x-amz-server-side-encryption', 'aws:kms'],
  ['x-amz-server-side-encryption-aws-kms-key-id', 'alias/a'],
  ['content-type', 'text/plain'],
  ['content-encoding', 'aws-chunked'],
  ['content-encoding', 'gzip'],
  ['x-amz-content-sha256', 'UNSIGNED-PAYLOAD'],
  ['x-amz-content-sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'],
  ['x-amz-content-sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER'],
  ['x-amz-decoded-content-length', '5'],
  ['x-amz-trailer', 'x-amz-checksum-crc32'],
  ['host', 'models.localhost'],
];

const BODIES: readonly Buffer[] = [
  '',
  'hello',
  '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
  '<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>',
  '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Quiet>true</Quiet><Object><Key>a/b</Key></Object><Object><Key>../x</Key></Object></Delete>',
  '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"5d41402abc4b2a76b9719d911017c592"</ETag></Part></CompleteMultipartUpload>',
  '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><Delete><Object><Key>&x;</Key></Object></Delete>',
].map((text) => Buffer.from(text));

const METHODS = ['GET', 'HEAD', 'PUT', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'] as const;

let folder: string;
let service: RunningService;
let client: PlainClient;
let uploadId = '';
/** Files that nobody closed. */
const leaks: string[] = [];
const noteLeak = ({ message }: Error) => {
  if (message.includes('garbage collection')) leaks.push(message);
};

beforeAll(async () => {
  process.on('warning', noteLeak);
  folder = temporaryFolder('fuzz-s3');
  await writeFile(join(folder, 'escaped'), 'outside');
  service = await startTestService({
    dataDir: join(folder, 'data'),
    allowUnsigned: true,
    file: { limits: { requestsPerSecond: 1_000_000, burst: 1_000_000 } },
  });
  client = new PlainClient(service.url);
  await restore();
});
afterAll(async () => {
  process.off('warning', noteLeak);
  client.close();
  await service.close();
});

/** Puts back what earlier inputs have deleted. */
async function restore(): Promise<void> {
  const none = Buffer.alloc(0);
  await client.send('PUT', '/models', {}, none);
  await mkdir(join(folder, 'data', 'buckets', 'models', 'folder'), { recursive: true });
  for (const key of ['a', 'b/c']) await client.send('PUT', `/models/${key}`, {}, Buffer.from('a'));
  const sse = { 'x-amz-server-side-encryption': 'aws:kms' };
  await client.send('PUT', '/models/sealed', sse, Buffer.from('sealed'));
  const made = await client.send('POST', '/models/multi?uploads', {}, none);
  uploadId = /<UploadId>(.*?)</.exec(made?.body.toString() ?? '')?.[1] ?? '';
}

function drawRequest(draw: Draw) {
  const method = draw.of(METHODS);
  const chosen = draw.of(PATHS);
  const path = draw.chance(0.3) ? encodeURI(wellFormed(mutateText(draw, chosen))) : chosen;
  const query = draw.of(QUERIES).replace('UPLOAD', uploadId);
  const changed = draw.chance(0.2) ? encodeURI(wellFormed(mutateText(draw, query))) : query;
  const headers: Record<string, string> = {};
  for (let count = draw.below(4); count > 0; count -= 1) {
    const [name, value] = draw.of(HEADERS as [[string, string], ...[string, string][]]);
    headers[name] = draw.chance(0.4) ? mutateText(draw, value).replace(/[^\x20-\xff]/g, '') : value;
  }
  const body = draw.of(BODIES as [Buffer, ...Buffer[]]);
  return {
    method,
    path: `${path.startsWith('/') ? '' : '/'}${path}${changed === '' ? '' : `?${changed}`}`,
    headers,
    body: draw.chance(0.3) ? mutateBytes(draw, body) : body,
  };
}

it('the S3 front answers everything, and writes nothing out of its place', async () => {
  const places = (await readdir(join(folder, 'data'))).sort();
  let count = 0;
  await fuzz(async (draw) => {
    if (count % 200 === 0) await restore();
    count += 1;
    const { method, path, headers, body } = drawRequest(draw);
    const answer = await client.send(method, path, headers, body);
    if (answer === undefined) return;
    const sent = `${method} ${path} ${JSON.stringify(headers)} ${body.toString('latin1')}`;
    // 501 is S3's own word for what it does not do.
    if (answer.status !== 501) expect(answer.status, `${sent}\n${answer.body}`).toBeLessThan(500);
    expect(answer.body.includes('outside'), sent).toBe(false);
  });
  expect((await readdir(join(folder, 'data'))).sort()).toEqual(places);
  expect(leaks).toEqual([]);
  expect(await readdir(folder)).toEqual(['data', 'escaped']);
  expect(await readFile(join(folder, 'escaped'), 'utf8')).toBe('outside');
});
