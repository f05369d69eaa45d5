import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from '#burnish/objects/checksums.js';
import { startTestServer, type TestServer } from './s3-server.js';
import { sha256Hex, sign } from './signing.js';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await server.store.createBucket('models');
});
afterAll(async () => {
  expect(server.faults).toEqual([]);
  await server.close();
});

interface Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

function send(
  method: string,
  target: string,
  headers: Record<string, string>,
  body: Uint8Array | string = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { host: '127.0.0.1', port: server.port, method, path: target, headers },
      async (response) => {
        const text = (await buffer(response)).toString();
        resolve({
          status: response.statusCode ?? 0,
          code: /<Code>(\w+)<\/Code>/.exec(text)?.[1],
          body: text,
          headers: response.headers,
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const host = () => `127.0.0.1:${server.port}`;
function plain(
  method: string,
  target: string,
  body: Uint8Array | string = '',
  more: Record<string, string> = {},
  payloadHash = sha256Hex(body),
): Promise<Answer> {
  const headers = { host: host(), 'content-length': `${Buffer.byteLength(body)}`, ...more };
  return send(method, target, sign(method, target, headers, payloadHash).headers, body);
}

const exists = async (key: string) =>
  server.store.head('models', key).then(
    () => true,
    () => false,
  );
const incoming = () => readdir(join(server.dataDir, 'object-uploads', 'incoming'));
const base64 = async (algorithm: 'CRC32' | 'CRC64NVME' | 'MD5', data: Uint8Array) =>
  (await digestOf(algorithm, data)).toString('base64');

const DATA = randomBytes(150_000);
const CHUNKS = [DATA.subarray(0, 65_536), DATA.subarray(65_536, 140_000), DATA.subarray(140_000)];

interface Damage {
  readonly chunkSignature?: (index: number, signature: string) => string;
  readonly trailerSignature?: (signature: string) => string;
  readonly body?: (body: Buffer) => Buffer;
  readonly decodedLength?: number;
  readonly checksum?: string;
  readonly trailerName?: string;
}

/** Puts DATA as an aws-chunked body of one of the three kinds, damaged in some way. */
async function putChunked(kind: string, key: string, damage: Damage = {}): Promise<Answer> {
  const signed = kind.includes('HMAC');
  const trailer = kind.endsWith('TRAILER');
  const target = `/models/${key}`;
  const headers: Record<string, string> = {
    host: host(),
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': `${damage.decodedLength ?? DATA.length}`,
    ...(trailer ? { 'x-amz-trailer': 'x-amz-checksum-crc32' } : {}),
  };
  const request = sign('PUT', target, headers, kind);
  let previous = request.signature;
  const pieces: Buffer[] = [];
  for (const [index, chunk] of [...CHUNKS, Buffer.alloc(0)].entries()) {
    previous = request.chunk(previous, chunk);
    const signature = damage.chunkSignature?.(index, previous) ?? previous;
    const extension = signed ? `;chunk-signature=${signature}` : '';
    pieces.push(Buffer.from(`${chunk.length.toString(16)}${extension}\r\n`), chunk);
    if (chunk.length > 0) pieces.push(Buffer.from('\r\n'));
  }
  if (trailer) {
    const name = damage.trailerName ?? 'x-amz-checksum-crc32';
    const line = `${name}:${damage.checksum ?? (await base64('CRC32', DATA))}`;
    pieces.push(Buffer.from(`${line}\r\n`));
    if (signed) {
      const signature = request.trailer(previous, `${line}\n`);
      const given = damage.trailerSignature?.(signature) ?? signature;
      pieces.push(Buffer.from(`x-amz-trailer-signature:${given}\r\n`));
    }
  }
  pieces.push(Buffer.from('\r\n'));
  const whole = Buffer.concat(pieces);
  const body = damage.body?.(whole) ?? whole;
  return send('PUT', target, { ...request.headers, 'content-length': `${body.length}` }, body);
}

const KINDS = [
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
];
const SIGNED = KINDS.slice(0, 2);
const TRAILED = KINDS.slice(1);

describe.each(KINDS)('%s', (kind) => {
  it('is taken apart and stored', async () => {
    const answer = await putChunked(kind, `${kind}/good`);
    expect(answer.status).toBe(200);
    const info = await server.store.head('models', `${kind}/good`);
    expect(info).toMatchObject({
      size: DATA.length,
      etag: createHash('md5').update(DATA).digest('hex'),
      headers: {},
    });
    const { body } = await server.store.read('models', `${kind}/good`);
    expect((await buffer(body)).equals(DATA)).toBe(true);
    if (kind.endsWith('TRAILER')) {
      expect(info.checksum).toEqual({
        algorithm: 'CRC32',
        type: 'FULL_OBJECT',
        value: await base64('CRC32', DATA),
      });
    }
  });

  it.each<[string, Damage, string]>([
    ['cut short', { body: (body) => body.subarray(0, 100_000) }, 'IncompleteBody'],
    ['cut within a line', { body: (body) => body.subarray(0, 2) }, 'IncompleteBody'],
    ['empty', { body: () => Buffer.alloc(0) }, 'IncompleteBody'],
    ['not chunked', { body: () => DATA }, 'IncompleteBody'],
    ['a huge line', { body: () => Buffer.alloc(100_000, 0x31) }, 'IncompleteBody'],
    [
      'a huge size',
      { body: (body) => Buffer.concat([Buffer.from('f'.repeat(12)), body]) },
      'IncompleteBody',
    ],
    [
      'more behind the end',
      { body: (body) => Buffer.concat([body, Buffer.from('more')]) },
      'IncompleteBody',
    ],
    ['longer than announced', { decodedLength: DATA.length - 1 }, 'InvalidRequest'],
    ['shorter than announced', { decodedLength: DATA.length + 1 }, 'IncompleteBody'],
  ])('%s: refused, and nothing is left', async (name, damage, code) => {
    const key = `${kind}/${name.replaceAll(' ', '-')}`;
    const answer = await putChunked(kind, key, damage);
    expect([answer.status, answer.code]).toEqual([400, code]);
    expect(await exists(key)).toBe(false);
    expect(await incoming()).toEqual([]);
  });
});

describe.each(SIGNED)('the signatures of %s', (kind) => {
  it.each([0, 1, 2, 3])('chunk %i wrong: refused', async (wrong) => {
    const answer = await putChunked(kind, 'wrong', {
      chunkSignature: (index, good) => (index === wrong ? sha256Hex(good) : good),
    });
    expect([answer.status, answer.code]).toEqual([403, 'SignatureDoesNotMatch']);
    expect(await exists('wrong')).toBe(false);
  });

  it('data changed: refused', async () => {
    const answer = await putChunked(kind, 'changed', {
      body: (body) => {
        body[30_000] = (body[30_000] ?? 0) ^ 1;
        return body;
      },
    });
    expect(answer.code).toBe('SignatureDoesNotMatch');
    expect(await exists('changed')).toBe(false);
  });
});

describe.each(TRAILED)('the trailer of %s', (kind) => {
  it('with a wrong checksum: BadDigest', async () => {
    const answer = await putChunked(kind, 'bad', { checksum: 'AAAAAA==' });
    expect([answer.status, answer.code]).toEqual([400, 'BadDigest']);
    expect(await exists('bad')).toBe(false);
  });

  it('with something else than was announced, or no base64', async () => {
    expect((await putChunked(kind, 'bad', { trailerName: 'x-amz-checksum-sha1' })).code).toBe(
      'MalformedTrailerError',
    );
    expect((await putChunked(kind, 'bad', { checksum: '????' })).code).toBe('InvalidRequest');
    expect(await exists('bad')).toBe(false);
  });
});

it('refuses a wrong signature of a trailer', async () => {
  const answer = await putChunked(SIGNED[1] ?? '', 'bad', { trailerSignature: sha256Hex });
  expect(answer.code).toBe('SignatureDoesNotMatch');
  expect(await exists('bad')).toBe(false);
});

describe('a body with a checksum in the head', () => {
  it.each<[string, Record<string, string>, number, string]>([
    ['Content-MD5', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }, 400, 'BadDigest'],
    ['no MD5', { 'content-md5': 'AAAA' }, 400, 'InvalidDigest'],
    ['CRC32', { 'x-amz-checksum-crc32': 'AAAAAA==' }, 400, 'BadDigest'],
    ['CRC32C', { 'x-amz-checksum-crc32c': 'AAAAAA==' }, 400, 'BadDigest'],
    ['CRC64NVME', { 'x-amz-checksum-crc64nvme': 'AAAAAAAAAAA=' }, 400, 'BadDigest'],
    ['SHA1', { 'x-amz-checksum-sha1': `${'A'.repeat(27)}=` }, 400, 'BadDigest'],
    ['SHA256', { 'x-amz-checksum-sha256': `${'A'.repeat(43)}=` }, 400, 'BadDigest'],
    ['no CRC32', { 'x-amz-checksum-crc32': 'AAAA' }, 400, 'InvalidRequest'],
    [
      'two checksums',
      { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-crc32c': 'AAAAAA==' },
      400,
      'InvalidRequest',
    ],
    ['an unknown wish', { 'x-amz-sdk-checksum-algorithm': 'CRC8' }, 400, 'InvalidRequest'],
    ['an unknown trailer', { 'x-amz-trailer': 'x-amz-other' }, 400, 'InvalidRequest'],
  ])('wrong %s: refused', async (_name, headers, status, code) => {
    const answer = await plain('PUT', '/models/digest', 'content', headers);
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(await exists('digest')).toBe(false);
    expect(await incoming()).toEqual([]);
  });

  it('that is right is kept', async () => {
    const data = Buffer.from('content');
    const answer = await plain('PUT', '/models/right', data, {
      'content-md5': await base64('MD5', data),
      'x-amz-checksum-crc64nvme': await base64('CRC64NVME', data),
    });
    expect(answer.status).toBe(200);
    const head = await plain('HEAD', '/models/right', '', { 'x-amz-checksum-mode': 'ENABLED' });
    expect(head.headers).toMatchObject({
      'x-amz-checksum-crc64nvme': await base64('CRC64NVME', data),
      'x-amz-checksum-type': 'FULL_OBJECT',
    });
  });

  it('whose signed hash is another one never becomes an object', async () => {
    await plain('PUT', '/models/hash', 'old');
    const answer = await plain('PUT', '/models/hash', 'content', {}, sha256Hex('other'));
    expect([answer.status, answer.code]).toEqual([400, 'XAmzContentSHA256Mismatch']);
    const { body } = await server.store.read('models', 'hash');
    expect((await buffer(body)).toString()).toBe('old');
  });

  it('of an unknown coding is refused', async () => {
    const streaming = await plain('PUT', '/models/x', 'content', {}, 'STREAMING-SOMETHING');
    expect([streaming.status, streaming.code]).toEqual([501, 'NotImplemented']);
    expect((await plain('PUT', '/models/x', 'content', {}, 'nonsense')).code).toBe(
      'InvalidArgument',
    );
  });
});

describe('a client that goes away', () => {
  it('in the middle of a body leaves nothing behind', async () => {
    const target = '/models/gone';
    const headers = { host: host(), 'content-length': '1000000' };
    const signed = sign('PUT', target, headers, 'UNSIGNED-PAYLOAD').headers;
    const socket = connect(server.port, '127.0.0.1');
    const head = Object.entries(signed).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`PUT ${target} HTTP/1.1\r\n${head.join('')}\r\n`);
    socket.write(Buffer.alloc(500_000));
    while ((await incoming()).length === 0) await delay(5);
    socket.destroy();
    while ((await incoming()).length > 0) await delay(5);
    expect(await exists('gone')).toBe(false);
  });

  it('is asked for a body only when the head is accepted', async () => {
    const answers: string[] = [];
    const ask = (secret: boolean) =>
      new Promise<number>((resolve, reject) => {
        const target = '/models/expected';
        const headers = { host: host(), 'content-length': '4' };
        const signed = sign('PUT', target, headers, 'UNSIGNED-PAYLOAD').headers;
        if (!secret) signed['x-amz-date'] = '20200101T000000Z';
        const outgoing = httpRequest(
          {
            host: '127.0.0.1',
            port: server.port,
            method: 'PUT',
            path: target,
            headers: { ...signed, expect: '100-continue' },
          },
          (response) => {
            response.resume();
            resolve(response.statusCode ?? 0);
            outgoing.destroy();
          },
        );
        outgoing.on('continue', () => {
          answers.push('continue');
          outgoing.end('body');
        });
        outgoing.on('error', reject);
        outgoing.flushHeaders();
      });
    expect(await ask(false)).toBe(400);
    expect(answers).toEqual([]);
    expect(await ask(true)).toBe(200);
    expect(answers).toEqual(['continue']);
  });
});

describe('requests that S3 has and this front has not', () => {
  it.each([
    ['GET', '/models?acl', 501],
    ['PUT', '/models?versioning', 501],
    ['GET', '/models?versions', 501],
    ['GET', '/models/right?versionId=abc', 501],
    ['GET', '/models/right?acl', 501],
    ['PUT', '/models/right?tagging', 501],
    ['POST', '/models/right?select&select-type=2', 501],
    ['POST', '/models', 405],
    ['POST', '/models/right', 405],
    ['PATCH', '/models/right', 405],
    ['PUT', '/', 405],
  ])('%s %s: %i', async (method, target, status) => {
    expect((await plain(method, target)).status).toBe(status);
  });

  it('ignores parameters without a meaning', async () => {
    expect((await plain('GET', '/models/right?x-id=GetObject')).body).toBe('content');
    expect((await plain('GET', '/models/right?versionId=null')).body).toBe('content');
  });
});

describe('XML', () => {
  const remove = (body: string) => plain('POST', '/models?delete', body);
  const object = (key: string) => `<Object><Key>${key}</Key></Object>`;

  it.each([
    ['not XML', 'delete them all'],
    ['cut short', `<Delete>${object('a')}`],
    ['another document', '<Other/>'],
    ['two documents', `<Delete>${object('a')}</Delete><Delete>${object('b')}</Delete>`],
    ['nothing in it', '<Delete></Delete>'],
    ['an object without a key', '<Delete><Object></Object></Delete>'],
    ['an empty key', `<Delete>${object('')}</Delete>`],
    ['two keys in one', '<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>'],
    ['an element for a key', `<Delete>${object('<a>b</a>')}</Delete>`],
    ['an unknown entity', `<Delete>${object('&nbsp;')}</Delete>`],
    ['a character out of range', `<Delete>${object('&#x110000;')}</Delete>`],
    [
      'entities of its own',
      `<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><Delete>${object('&b;')}</Delete>`,
    ],
    [
      'an outside entity',
      `<!DOCTYPE d [<!ENTITY a SYSTEM "file:///etc/passwd">]><Delete>${object('&a;')}</Delete>`,
    ],
    ['CDATA', `<Delete>${object('<![CDATA[a]]>')}</Delete>`],
    ['a deep tree', `<Delete>${'<a>'.repeat(2000)}${'</a>'.repeat(2000)}</Delete>`],
    ['1,001 keys', `<Delete>${object('a').repeat(1001)}</Delete>`],
    ['a prototype', '<__proto__><Object><Key>a</Key></Object></__proto__>'],
  ])('%s: MalformedXML', async (_name, body) => {
    const answer = await remove(body);
    expect([answer.status, answer.code]).toEqual([400, 'MalformedXML']);
  });

  it('of any size is bounded', async () => {
    const answer = await remove(`<Delete>${' '.repeat(9 * 1024 * 1024)}</Delete>`);
    expect([answer.status, answer.code]).toEqual([400, 'MaxMessageLengthExceeded']);
    const bucket = await plain('PUT', '/models', `<a>${' '.repeat(100_000)}</a>`);
    expect(bucket.code).toBe('MaxMessageLengthExceeded');
  });

  it('takes escaped and spaced keys, a namespace, and 1,000 of them, quietly', async () => {
    await plain('PUT', '/models/a%26b%3C%20%20', 'x');
    const answer = await remove(
      `<?xml version="1.0"?>\n<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">\n  <Quiet>true</Quiet>\n  ${object('a&amp;b&#60; &#x20;')}\n</Delete>`,
    );
    expect(answer.status).toBe(200);
    expect(answer.body).not.toContain('Deleted');
    expect(await exists('a&b<  ')).toBe(false);
    const many = Array.from({ length: 1000 }, (_, index) => object(`none-${index}`));
    const all = await remove(`<Delete>${many.join('')}</Delete>`);
    expect(all.body.match(/<Deleted>/g)).toHaveLength(1000);
  });
});

describe('paths', () => {
  it.each([
    ['/models/../../etc/passwd', 'InvalidArgument'],
    ['/models/%2e%2e/%2e%2e/etc/passwd', 'InvalidArgument'],
    ['/models/%2E%2E%2Fcredentials', 'InvalidArgument'],
    ['/models//etc/passwd', 'InvalidArgument'],
    ['/models/a%00b', 'InvalidArgument'],
    ['/models/%ff%fe', 'InvalidArgument'],
    ['/../credentials', 'InvalidBucketName'],
    ['/%2e%2e/credentials', 'InvalidBucketName'],
    ['//models/a', 'InvalidBucketName'],
    ['/.hidden/a', 'InvalidBucketName'],
  ])('%s: %s', async (path, code) => {
    const decoded = Buffer.from(unescapePercent(path), 'latin1');
    const canonical = [...decoded].map(encodeByte).join('');
    const headers = sign('GET', canonical, { host: host() }, sha256Hex('')).headers;
    const answer = await send('GET', path, headers);
    expect([answer.status, answer.code]).toEqual([400, code]);
  });
});

function unescapePercent(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function encodeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9._~/-]/.test(character)
    ? character
    : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
