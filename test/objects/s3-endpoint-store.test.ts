import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  LocationNotEmptyError,
  NothingAtLocationError,
  ObjectStoreError,
} from '#burnish/objects/errors.js';
import {
  openS3EndpointStore,
  type S3EndpointStore,
} from '#burnish/objects/s3-endpoint-store/s3-endpoint-store.js';
import { KEY, startTestServer, type TestServer } from '../server/s3/s3-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const MIB = 1024 * 1024;
const bucket = 'models';
let server: TestServer;
let store: S3EndpointStore;
let scratch: string;

beforeEach(async () => {
  server = await startTestServer();
  await server.store.createBucket(bucket);
  scratch = temporaryFolder('endpoint');
  store = await openS3EndpointStore({
    endpoint: server.url,
    region: 'us-east-1',
    pathStyle: true,
    credentials: KEY,
  });
});
afterEach(async () => {
  await server.close();
});

const put = (key: string, bytes: Uint8Array | string) => {
  const content = Buffer.from(bytes);
  return server.store.write(bucket, key, Readable.from([content]), {
    expectedLength: content.length,
  });
};

/** Cuts the connection after some bytes of a response's body, if it has as many, and tells so. */
function cut(response: ServerResponse, afterBytes: number, onCut = () => {}): void {
  const write = response.write.bind(response) as (chunk: Uint8Array) => boolean;
  let sent = 0;
  response.write = ((chunk: Uint8Array) => {
    sent += chunk.byteLength;
    if (sent <= afterBytes) return write(chunk);
    if (!response.destroyed) onCut();
    response.destroy();
    return false;
  }) as typeof response.write;
}

describe('single objects', () => {
  it('are written, looked at, read in ranges and removed', async () => {
    const info = await store.write(bucket, 'a/b', Readable.from([Buffer.from('0123456789')]), {
      expectedLength: 10,
      headers: { contentType: 'text/plain' },
      metadata: { a: 'b' },
    });
    expect(info).toMatchObject({
      size: 10,
      headers: { contentType: 'text/plain' },
      metadata: { a: 'b' },
    });
    const { body } = await store.read(bucket, 'a/b', { range: { start: 2, end: 4 } });
    expect(await text(body)).toBe('234');
    expect(await text((await store.read(bucket, 'a/b')).body)).toBe('0123456789');
    await store.remove(bucket, 'a/b');
    await expect(store.head(bucket, 'a/b')).rejects.toMatchObject({ code: 'NoSuchKey' });
  });

  it('are listed page by page, common prefixes too', async () => {
    for (const key of ['a', 'b/1', 'b/2', 'c/1', 'd']) await put(key, key);
    const seen: string[] = [];
    let startAfter = '';
    for (;;) {
      const page = await store.list(bucket, { delimiter: '/', maxKeys: 1, startAfter });
      seen.push(...page.objects.map(({ key }) => key), ...page.commonPrefixes);
      if (page.nextStartAfter === undefined) break;
      startAfter = page.nextStartAfter;
    }
    expect(seen).toEqual(['a', 'b/', 'c/', 'd']);
  });

  it('and buckets that are missing, forbidden or out of reach have clear errors', async () => {
    await expect(store.headBucket('missing')).rejects.toMatchObject({ code: 'NoSuchBucket' });
    await expect(store.isEmpty({ bucket: 'missing', key: 'a' })).rejects.toMatchObject({
      code: 'NoSuchBucket',
    });
    const config = { endpoint: server.url, region: 'us-east-1', pathStyle: true };
    const stranger = await openS3EndpointStore({
      ...config,
      credentials: { ...KEY, secretAccessKey: 'wrong' },
    });
    await expect(stranger.headBucket(bucket)).rejects.toMatchObject({ code: 'AccessDenied' });
    const nowhere = await openS3EndpointStore({
      ...config,
      endpoint: 'http://127.0.0.1:1',
      credentials: KEY,
    });
    await expect(nowhere.head(bucket, 'a')).rejects.toMatchObject({
      code: 'StoreUnavailable',
      message: expect.stringContaining('http://127.0.0.1:1'),
    });
  });
});

describe('what is at a location', () => {
  it('is told for objects, folders and markers', async () => {
    await put('m/a', 'x');
    await put('single', 'x');
    await put('marker/', '');
    const at = (key: string) => ({ bucket, key });
    expect(await store.exists(at('m'))).toBe(true);
    expect(await store.exists(at('single'))).toBe(true);
    expect(await store.exists(at('sing'))).toBe(false);
    expect(await store.exists(at('marker'))).toBe(false);
    expect(await store.exists(at(''))).toBe(true);
    expect(await store.isEmpty(at('m'))).toBe(false);
    expect(await store.isEmpty(at('marker'))).toBe(true);
    expect(await store.isEmpty(at('n'))).toBe(true);
  });
});

describe('staging', () => {
  it('downloads a folder in pieces, whatever breaks on the way', async () => {
    const large = randomBytes(40 * MIB);
    await put('m/config.json', '{}');
    await put('m/sub/weights.bin', large);
    await put('m/empty', '');
    await put('m2/other', 'x');
    let broken = 0;
    let cuts = 0;
    server.tamper = (request: IncomingMessage, response: ServerResponse) => {
      if (request.method !== 'GET' || request.url?.includes('weights') !== true) return false;
      broken += 1;
      if (broken % 2 === 1 && broken < 12) {
        cut(response, 3 * MIB, () => {
          cuts += 1;
        });
      }
      return false;
    };
    let bytes = 0;
    const faults: string[] = [];
    const staged = await store.stageFolder({ bucket, key: 'm' }, join(scratch, 'in'), {
      onFault: (kind) => faults.push(kind),
      onProgress: (progress) => {
        bytes = progress.bytes;
      },
    });
    expect(broken).toBeGreaterThan(4);
    // Each cut was told once.
    expect(faults).toHaveLength(cuts);
    expect(staged).toEqual({
      path: join(scratch, 'in'),
      readOnly: false,
      files: 3,
      bytes: large.length + 2,
    });
    expect(bytes).toBe(staged.bytes);
    expect((await readFile(join(staged.path, 'sub/weights.bin'))).equals(large)).toBe(true);
    expect((await readdir(staged.path)).sort()).toEqual(['config.json', 'empty', 'sub']);
  });

  it('fails when an object is replaced half-way, and when the endpoint stays broken', async () => {
    await put('m/weights.bin', randomBytes(20 * MIB));
    let replaced: Promise<unknown> | undefined;
    server.tamper = async (request, response) => {
      if (request.method !== 'GET' || !request.headers.range) return false;
      cut(response, MIB);
      if (replaced === undefined) replaced = put('m/weights.bin', randomBytes(20 * MIB));
      else await replaced;
      return false;
    };
    await expect(store.stageFolder({ bucket, key: 'm' }, join(scratch, 'a'))).rejects.toMatchObject(
      { code: 'PreconditionFailed' },
    );
    await replaced;
    server.tamper = (request, response) => {
      if (request.headers.range) cut(response, 0);
      return false;
    };
    await expect(store.stageFolder({ bucket, key: 'm' }, join(scratch, 'b'))).rejects.toMatchObject(
      { code: 'StoreUnavailable' },
    );
  });

  it('stops when told to', async () => {
    await put('m/weights.bin', randomBytes(20 * MIB));
    const stop = new AbortController();
    const staging = store.stageFolder({ bucket, key: 'm' }, join(scratch, 'a'), {
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    await expect(staging).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('says when there is nothing, or a single object', async () => {
    await put('single', 'x');
    const at = (key: string) => store.stageFolder({ bucket, key }, join(scratch, key));
    await expect(at('none')).rejects.toThrow(NothingAtLocationError);
    await expect(at('single')).rejects.toThrow(/a single object/);
  });

  it('unpacks an archive, on a bad line too', async () => {
    const content = randomBytes(4 * MIB);
    const archive = pack();
    archive.entry({ name: 'model/config.json' }, '{}');
    archive.entry({ name: 'model/weights.bin' }, content);
    archive.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of archive.pipe(createGzip())) chunks.push(chunk as Buffer);
    await put('m.tar.gz', Buffer.concat(chunks));
    let broken = 0;
    server.tamper = (request, response) => {
      if (request.method !== 'GET') return false;
      broken += 1;
      if (broken < 4) cut(response, 600_000);
      return false;
    };
    const staged = await store.stageFolder({ bucket, key: 'm.tar.gz' }, join(scratch, 'in'));
    expect(broken).toBeGreaterThan(2);
    expect(staged).toMatchObject({ path: join(scratch, 'in', 'model'), files: 2 });
    expect((await readFile(join(staged.path, 'weights.bin'))).equals(content)).toBe(true);
  });
});

describe('publishing', () => {
  async function result(): Promise<string> {
    const folder = join(scratch, 'out');
    await mkdir(join(folder, 'sub'), { recursive: true });
    await writeFile(join(folder, 'optimization-report.json'), '{}');
    await writeFile(join(folder, 'weights.bin'), randomBytes(33 * MIB));
    await writeFile(join(folder, 'sub', 'empty'), '');
    await writeFile(join(folder, 'config.json'), '{"a":1}');
    return folder;
  }
  const visible = async () =>
    (await server.store.list(bucket, {})).objects.map(({ key }) => key).filter((key) => key !== '');

  it('makes every file visible at the end, the report last', async () => {
    const folder = await result();
    const weights = await readFile(join(folder, 'weights.bin'));
    const order: string[] = [];
    server.tamper = (request) => {
      const url = request.url ?? '';
      const completes = request.method === 'POST' && url.includes('uploadId=');
      if (completes || (request.method === 'PUT' && !url.includes('partNumber='))) {
        order.push(url.split('?')[0] ?? '');
      }
      return false;
    };
    await store.publishFolder(folder, { bucket, key: 'jobs/one' });
    expect(order).toHaveLength(4);
    expect(order.at(-1)).toBe('/models/jobs/one/optimization-report.json');
    const published = join(server.dataDir, 'buckets', bucket, 'jobs/one');
    expect((await readFile(join(published, 'weights.bin'))).equals(weights)).toBe(true);
    expect(await readFile(join(published, 'sub/empty'), 'utf8')).toBe('');
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
    await expect(store.publishFolder(published, { bucket, key: 'jobs/one' })).rejects.toThrow(
      LocationNotEmptyError,
    );
  });

  it('asks for SSE-KMS under the key on every file, empty ones too', async () => {
    const { arn } = await server.kmsKeys.create();
    const asked = new Map<string, unknown>();
    server.tamper = ({ method, url = '', headers }) => {
      const begins = method === 'POST' ? url.includes('?uploads') : !url.includes('partNumber=');
      if (begins && (method === 'POST' || method === 'PUT')) {
        asked.set(url.split('?')[0] ?? '', [
          headers['x-amz-server-side-encryption'],
          headers['x-amz-server-side-encryption-aws-kms-key-id'],
        ]);
      }
      return false;
    };
    const location = { bucket, key: 'jobs/kms' };
    await store.publishFolder(await result(), location, { encryption: { keyId: arn } });
    expect([...asked.keys()].sort()).toEqual(
      ['config.json', 'optimization-report.json', 'sub/empty', 'weights.bin'].map(
        (name) => `/models/jobs/kms/${name}`,
      ),
    );
    for (const headers of asked.values()) expect(headers).toEqual(['aws:kms', arn]);
    const head = await store.head(bucket, 'jobs/kms/config.json');
    expect(head).toMatchObject({ size: 7, encryption: { keyArn: arn } });
    const { body } = await store.read(bucket, 'jobs/kms/config.json');
    expect(await text(body)).toBe('{"a":1}');
  });

  it('publishes what the endpoint has already with it, as copies that the endpoint makes', async () => {
    const weights = randomBytes(3 * MIB);
    await put('staged/weights', weights);
    await put('staged/none', '');
    const copy = async (name: string) => {
      const key = `staged/${name}`;
      const { size, etag } = await store.head(bucket, key);
      return { name: `sub/${name}`, bucket, key, size, etag };
    };
    const copies = [await copy('weights'), await copy('none')];
    const folder = join(scratch, 'report-alone');
    await mkdir(folder);
    await writeFile(join(folder, 'optimization-report.json'), '{}');
    const order: string[] = [];
    server.tamper = ({ method, url = '' }) => {
      if (method === 'POST' && url.includes('uploadId=')) order.push(url.split('?')[0] ?? '');
      return false;
    };
    await store.publishFolder(folder, { bucket, key: 'copied' }, { copies });
    expect(order).toEqual([
      '/models/copied/sub/weights',
      '/models/copied/optimization-report.json',
    ]);
    const published = join(server.dataDir, 'buckets', bucket, 'copied');
    expect((await readFile(join(published, 'sub/weights'))).equals(weights)).toBe(true);
    expect(await readFile(join(published, 'sub/none'), 'utf8')).toBe('');

    // What was replaced since it was looked at is not published in its place.
    await put('staged/weights', randomBytes(3 * MIB));
    await mkdir(folder);
    await writeFile(join(folder, 'optimization-report.json'), '{}');
    const again = store.publishFolder(folder, { bucket, key: 'again' }, { copies });
    await expect(again).rejects.toMatchObject({ code: 'PreconditionFailed' });
    expect(await visible()).not.toContain('again/optimization-report.json');
    const [stale] = copies;
    const staging = store.stageObjects(stale === undefined ? [] : [stale], join(scratch, 'staged'));
    await expect(staging).rejects.toMatchObject({ code: 'PreconditionFailed' });
  });

  it('takes over what a process that died half-way has made visible, and nothing else', async () => {
    const folder = await result();
    const location = { bucket, key: 'jobs/again' };
    const leftover = join(server.dataDir, 'buckets', bucket, 'jobs', 'again');
    await mkdir(leftover, { recursive: true });
    await writeFile(join(leftover, 'config.json'), 'half');
    await expect(store.publishFolder(folder, location)).rejects.toThrow(LocationNotEmptyError);
    await writeFile(join(leftover, 'precious'), 'not ours');
    const interrupted = store.publishFolder(folder, location, { interrupted: true });
    await expect(interrupted).rejects.toThrow(LocationNotEmptyError);
    expect(await readFile(join(leftover, 'config.json'), 'utf8')).toBe('half');
    await rm(join(leftover, 'precious'));
    await store.publishFolder(folder, location, { interrupted: true });
    expect(await readFile(join(leftover, 'config.json'), 'utf8')).toBe('{"a":1}');
    expect(await readdir(leftover)).toContain('optimization-report.json');
  });

  it('shows nothing and leaves no upload when a part, a completion or the caller fails', async () => {
    const refuse = (response: ServerResponse) => {
      response.writeHead(403).end('<Error><Code>AccessDenied</Code></Error>');
      return true;
    };
    const folder = await result();
    const stop = new AbortController();
    const attempts: [NonNullable<TestServer['tamper']>, string][] = [
      [
        (request, response) => request.url?.includes('partNumber=2') === true && refuse(response),
        'ObjectStoreError',
      ],
      [
        (request, response) => {
          const completes = request.method === 'POST' && request.url?.includes('uploadId=');
          return completes === true && request.url?.includes('report') === true && refuse(response);
        },
        'ObjectStoreError',
      ],
      [
        (request) => {
          if (request.url?.includes('partNumber=3')) stop.abort();
          return false;
        },
        'AbortError',
      ],
    ];
    for (const [tamper, name] of attempts) {
      server.tamper = tamper;
      await expect(
        store.publishFolder(folder, { bucket, key: 'jobs/two' }, { signal: stop.signal }),
      ).rejects.toMatchObject({ name });
      server.tamper = undefined;
      expect(await visible()).toEqual([]);
      expect(await server.store.uploads.list(bucket)).toEqual([]);
      expect((await readdir(folder)).length).toBe(4);
    }
    await store.publishFolder(folder, { bucket, key: 'jobs/two' });
    expect((await visible()).length).toBe(4);
  });

  it('takes plain files only', async () => {
    const folder = await result();
    await symlink('/etc/passwd', join(folder, 'passwd'));
    await expect(store.publishFolder(folder, { bucket, key: 'x' })).rejects.toThrow(
      ObjectStoreError,
    );
    expect(await server.store.uploads.list(bucket)).toEqual([]);
  });
});
