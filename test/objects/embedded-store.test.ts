import { randomBytes } from 'node:crypto';
import {
  access,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { ARCHIVE_LIMITS, type ArchiveLimits, unpackArchive } from '#burnish/objects/archive.js';
import {
  type EmbeddedStore,
  openEmbeddedStore,
} from '#burnish/objects/embedded-store/embedded-store.js';
import {
  ArchiveError,
  LocationNotEmptyError,
  NothingAtLocationError,
} from '#burnish/objects/errors.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const bucket = 'models';
let dataDir: string;
let store: EmbeddedStore;

beforeEach(async () => {
  dataDir = temporaryFolder('store');
  store = await openEmbeddedStore(dataDir);
  await store.createBucket(bucket);
});

const path = (...parts: string[]) => join(dataDir, 'buckets', bucket, ...parts);
const put = (key: string, content: string | Buffer = 'x') => {
  const bytes = Buffer.from(content);
  return store.write(bucket, key, Readable.from([bytes]), { expectedLength: bytes.length });
};
const keys = async () => (await store.list(bucket)).objects.map(({ key }) => key);

async function archiveOf(
  entries: readonly (readonly [Partial<Header> & { name: string }, string | Buffer])[],
): Promise<Buffer> {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return gzipSync(Buffer.concat(chunks));
}

describe('staging', () => {
  it('gives out the folder itself, without a copy', async () => {
    await put('m/config.json', '{}');
    await put('m/sub/weights', 'abc');
    const staged = await store.stageFolder({ bucket, key: 'm' }, join(dataDir, 'work'));
    expect(staged).toEqual({ path: path('m'), readOnly: true, files: 2, bytes: 5 });
    await expect(access(join(dataDir, 'work'))).rejects.toThrow('ENOENT');
    const whole = await store.stageFolder({ bucket, key: '' }, join(dataDir, 'work'));
    expect(whole.path).toBe(path());
  });

  it('takes links that stay inside the buckets, and refuses all others', async () => {
    await put('blobs/weights', 'abc');
    await put('m/config.json', '{}');
    await symlink('../blobs/weights', path('m', 'weights'));
    const stage = () => store.stageFolder({ bucket, key: 'm' }, join(dataDir, 'work'));
    expect(await stage()).toMatchObject({ files: 2, bytes: 5 });
    for (const target of ['/etc/passwd', '../../../credentials', 'nowhere', '../blobs', '.']) {
      await symlink(target, path('m', 'bad'));
      await expect(stage()).rejects.toMatchObject({ code: 'AccessDenied' });
      await rm(path('m', 'bad'));
    }
    await symlink('m', path('linked'));
    await expect(
      store.stageFolder({ bucket, key: 'linked' }, join(dataDir, 'work')),
    ).rejects.toMatchObject({ code: expect.stringMatching(/AccessDenied|NothingAtLocation/) });
  });

  it('says when there is nothing, no bucket, an empty folder or a single object', async () => {
    await put('single');
    await put('hollow/', '');
    const stage = (key: string, name = bucket) =>
      store.stageFolder({ bucket: name, key }, join(dataDir, 'work'));
    await expect(stage('none')).rejects.toThrow(NothingAtLocationError);
    await expect(stage('hollow')).rejects.toThrow(/the folder is empty/);
    await expect(stage('single')).rejects.toThrow(/a single object/);
    await expect(stage('m', 'missing')).rejects.toMatchObject({ code: 'NoSuchBucket' });
    await expect(stage('../..')).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  it('unpacks a .tar.gz', async () => {
    const weights = randomBytes(3_000_000);
    const archive = await archiveOf([
      [{ name: './config.json' }, '{}'],
      [{ name: 'sub', type: 'directory' }, ''],
      [{ name: `sub/${'long'.repeat(50)}` }, weights],
    ]);
    await put('m.tar.gz', archive);
    const target = join(dataDir, 'work', 'in');
    const staged = await store.stageFolder({ bucket, key: 'm.tar.gz' }, target);
    expect(staged).toEqual({ path: target, readOnly: false, files: 2, bytes: 3_000_002 });
    expect((await readFile(join(target, 'sub', 'long'.repeat(50)))).equals(weights)).toBe(true);
  });
});

describe('archives', () => {
  const unpack = (archive: Buffer, limits?: Partial<ArchiveLimits>, pieces = [archive]) =>
    unpackArchive(
      Readable.from(pieces),
      's3://models/m.tar.gz',
      join(dataDir, 'in'),
      {},
      { ...ARCHIVE_LIMITS, ...limits },
    );
  const one = { name: 'a' };

  it('lose their only top-level folder when the checkpoint is in there', async () => {
    const nested = await archiveOf([
      [{ name: 'model/config.json' }, '{}'],
      [{ name: 'model/x/y' }, 'y'],
    ]);
    expect((await unpack(nested)).path).toBe(join(dataDir, 'in', 'model'));
  });

  it('keep it when there is no config.json in it, or more beside it', async () => {
    const bare = await archiveOf([[{ name: 'model/weights' }, '{}']]);
    expect((await unpack(bare)).path).toBe(join(dataDir, 'in'));
    await rm(join(dataDir, 'in'), { recursive: true });
    const beside = await archiveOf([
      [{ name: 'model/config.json' }, '{}'],
      [{ name: 'readme' }, 'y'],
    ]);
    expect((await unpack(beside)).path).toBe(join(dataDir, 'in'));
  });

  it.each<[string, Partial<Header> & { name: string }, RegExp]>([
    ['a way out', { name: '../outside' }, /leads out/],
    ['a hidden way out', { name: 'a/../../outside' }, /leads out/],
    ['an absolute path', { name: '/tmp/outside' }, /absolute/],
    ['a backslash', { name: 'a\\b' }, /unusable character/],
    ['a symbolic link', { name: 'a', type: 'symlink', linkname: '/etc/passwd' }, /symlink/],
    ['a hard link', { name: 'a', type: 'link', linkname: '/etc/passwd' }, /link/],
    ['a device', { name: 'a', type: 'character-device' }, /device/],
    ['a pipe', { name: 'a', type: 'fifo' }, /fifo/],
    ['a long path', { name: `${'a/'.repeat(600)}b` }, /too long/],
    ['a long name', { name: 'a'.repeat(300) }, /longer than 255 bytes/],
    ['a deep path', { name: `${'a/'.repeat(17)}b` }, /folders deep/],
  ])('with %s are refused', async (_name, header, reason) => {
    const archive = await archiveOf([
      [{ name: 'config.json' }, '{}'],
      [header, ''],
    ]);
    await expect(unpack(archive)).rejects.toThrow(ArchiveError);
    await rm(join(dataDir, 'in'), { recursive: true });
    await expect(unpack(archive)).rejects.toThrow(reason);
    await expect(access(join(dataDir, 'outside'))).rejects.toThrow('ENOENT');
  });

  it('over a limit are refused', async () => {
    const three = await archiveOf([
      [{ name: 'a' }, 'x'.repeat(1000)],
      [{ name: 'b' }, randomBytes(1000)],
      [{ name: 'c' }, randomBytes(1000)],
    ]);
    await expect(unpack(three, { files: 2 })).rejects.toThrow(/more than 2 files/);
    await rm(join(dataDir, 'in'), { recursive: true });
    await expect(unpack(three, { totalBytes: 2500 })).rejects.toThrow(/over 2500 bytes/);
    await rm(join(dataDir, 'in'), { recursive: true });
    const bomb = await archiveOf([[one, Buffer.alloc(5_000_000)]]);
    await expect(unpack(bomb, { ratio: 100, ratioFromBytes: 1_000_000 })).rejects.toThrow(
      /more than 100 times/,
    );
    await rm(join(dataDir, 'in'), { recursive: true });
    expect((await unpack(bomb)).bytes).toBe(5_000_000);
  });

  it('that are broken are refused', async () => {
    const good = await archiveOf([[one, randomBytes(100_000)]]);
    const fresh = () => rm(join(dataDir, 'in'), { recursive: true, force: true });
    for (const [bad, reason] of [
      [Buffer.from('no archive at all'), /no gzip file/],
      [Buffer.alloc(0), /no gzip file|damaged|no file in it/],
      [good.subarray(0, good.length / 2), /cut short|damaged/],
      [gzipSync(randomBytes(5000)), /damaged/],
      [gzipSync(Buffer.alloc(1024)), /no file in it/],
      [
        await archiveOf([
          [one, '1'],
          [one, '2'],
        ]),
        /same path/,
      ],
      [
        await archiveOf([
          [one, '1'],
          [{ name: 'a/b' }, '2'],
        ]),
        /same path/,
      ],
    ] as const) {
      await fresh();
      const outcome = unpack(bad);
      await expect(outcome).rejects.toThrow(ArchiveError);
      await expect(outcome).rejects.toThrow(reason);
    }
    const damaged = Buffer.from(good);
    const middle = good.length >> 1;
    damaged.writeUInt8((damaged[middle] ?? 0) ^ 0xff, middle);
    await fresh();
    await expect(unpack(damaged)).rejects.toThrow(ArchiveError);
  });

  it('stop unpacking when told to', async () => {
    const stop = new AbortController();
    async function* endless() {
      yield gzipSync(Buffer.alloc(0));
      stop.abort(new Error('enough'));
      await new Promise((resolve) => setTimeout(resolve, 20));
      yield Buffer.alloc(10);
    }
    await expect(
      unpackArchive(Readable.from(endless()), 'x', join(dataDir, 'in'), { signal: stop.signal }),
    ).rejects.toThrow('enough');
  });
});

describe('publishing', () => {
  async function result(): Promise<string> {
    const folder = join(dataDir, 'work', 'out');
    await mkdir(join(folder, 'sub'), { recursive: true });
    await writeFile(join(folder, 'optimization-report.json'), '{}');
    await writeFile(join(folder, 'sub', 'weights'), 'abc');
    return folder;
  }

  it('moves the folder into place', async () => {
    const folder = await result();
    const { ino } = await stat(folder);
    await store.publishFolder(folder, { bucket, key: 'jobs/a/out' });
    expect((await stat(path('jobs/a/out'))).ino).toBe(ino);
    expect(await keys()).toEqual(['jobs/a/out/optimization-report.json', 'jobs/a/out/sub/weights']);
    await expect(access(folder)).rejects.toThrow('ENOENT');
    const { etag } = await store.head(bucket, 'jobs/a/out/sub/weights');
    expect(etag).toMatch(/^[0-9a-f]{32}-1$/);
  });

  it('may take the place of an empty folder, or of an empty bucket', async () => {
    await put('jobs/out/', '');
    expect(await store.isEmpty({ bucket, key: 'jobs/out' })).toBe(true);
    await store.publishFolder(await result(), { bucket, key: 'jobs/out' });
    expect((await keys()).length).toBe(2);
    await store.createBucket('results');
    await store.publishFolder(await result(), { bucket: 'results', key: '' });
    expect((await store.list('results')).objects.length).toBe(2);
  });

  it.each([
    ['objects there', 'out/a', 'out'],
    ['an object of that name', 'out', 'out'],
    ['an object on the way', 'out', 'out/deep'],
    ['objects in the bucket', 'a', ''],
  ])('changes nothing with %s', async (_name, existing, key) => {
    await put(existing, 'old');
    const folder = await result();
    const publishing = store.publishFolder(folder, { bucket, key });
    await expect(publishing).rejects.toMatchObject({
      code: expect.stringMatching(/LocationNotEmpty|KeyConflict/),
    });
    expect(await keys()).toEqual([existing]);
    expect(await readFile(path(existing), 'utf8')).toBe('old');
    expect((await readdir(folder)).length).toBe(2);
    if (key === 'out') expect(await store.isEmpty({ bucket, key })).toBe(false);
  });

  it('goes around partial results, and leaves them where they are', async () => {
    await put('out/partial/job-1/report', 'of the first');
    await put('out/partial/job-2/report', 'of the second');
    expect(await store.isEmpty({ bucket, key: 'out' })).toBe(true);
    expect(await store.exists({ bucket, key: 'out' })).toBe(true);
    await store.publishFolder(await result(), { bucket, key: 'out' });
    expect(await keys()).toEqual([
      'out/optimization-report.json',
      'out/partial/job-1/report',
      'out/partial/job-2/report',
      'out/sub/weights',
    ]);
    expect(await readFile(path('out/partial/job-2/report'), 'utf8')).toBe('of the second');
    expect(await store.isEmpty({ bucket, key: 'out' })).toBe(false);
    expect(await readdir(join(dataDir, 'object-uploads', 'detours'))).toEqual([]);
  });

  it('leaves partial results where they are when the result cannot take their place', async () => {
    await put('out/partial/job-1/report', 'old');
    const folder = await result();
    await mkdir(join(folder, 'partial'));
    await writeFile(join(folder, 'partial', 'mine'), 'new');
    await expect(store.publishFolder(folder, { bucket, key: 'out' })).rejects.toBeInstanceOf(
      LocationNotEmptyError,
    );
    expect(await keys()).toEqual(['out/partial/job-1/report']);
    expect(await readdir(join(folder, 'partial'))).toEqual(['mine']);
  });

  it('puts partial results back that a process had on their way when it was killed', async () => {
    const folder = await result();
    await mkdir(join(folder, 'partial', 'job-1'), { recursive: true });
    await writeFile(join(folder, 'partial', 'job-1', 'report'), 'old');
    const detour = { from: path('out', 'partial'), to: join(folder, 'partial') };
    await writeFile(join(dataDir, 'object-uploads', 'detours', 'a.json'), JSON.stringify(detour));
    const next = await openEmbeddedStore(dataDir);
    await next.reclaim({ shared: true });
    expect(await keys()).toEqual([]);
    await next.reclaim({ shared: false });
    expect(await keys()).toEqual(['out/partial/job-1/report']);
    expect((await readdir(folder)).sort()).toEqual(['optimization-report.json', 'sub']);
  });

  it('lets one of two results win', async () => {
    const folders = [join(dataDir, 'work', '1'), join(dataDir, 'work', '2')];
    for (const folder of folders) {
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'file'), folder);
    }
    const outcomes = await Promise.allSettled(
      folders.map((folder) => store.publishFolder(folder, { bucket, key: 'jobs/out' })),
    );
    const lost = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toBeInstanceOf(LocationNotEmptyError);
    expect(await keys()).toEqual(['jobs/out/file']);
  });

  it('needs a bucket, and plain files', async () => {
    const folder = await result();
    await expect(
      store.publishFolder(folder, { bucket: 'missing', key: 'out' }),
    ).rejects.toMatchObject({ code: 'NoSuchBucket' });
    await symlink('/etc/passwd', join(folder, 'link'));
    await expect(store.publishFolder(folder, { bucket, key: 'out' })).rejects.toMatchObject({
      code: 'InvalidRequest',
    });
    await expect(store.publishFolder(folder, { bucket, key: '../out' })).rejects.toMatchObject({
      code: 'InvalidArgument',
    });
    expect(await keys()).toEqual([]);
  });
});

describe('what a stopped process left', () => {
  it('is reclaimed: half-received bodies, and uploads nobody came back for', async () => {
    const upload = await store.uploads.create(bucket, 'young', {});
    const old = await store.uploads.create(bucket, 'old', {});
    const uploads = join(dataDir, 'object-uploads');
    await writeFile(join(uploads, 'incoming', 'half'), 'half a body');
    const longAgo = new Date(Date.now() - 8 * 24 * 60 * 60 * 1000);
    await utimes(join(uploads, 'multipart', old.uploadId), longAgo, longAgo);
    const next = await openEmbeddedStore(dataDir);
    await next.reclaim({ shared: false });
    expect(await readdir(join(uploads, 'incoming'))).toEqual([]);
    expect((await next.uploads.list(bucket)).map(({ key }) => key)).toEqual(['young']);
    const body = Readable.from([Buffer.from('part')]);
    const part = await next.uploads.uploadPart(bucket, 'young', upload.uploadId, 1, body, {
      expectedLength: 4,
    });
    await next.uploads.complete(bucket, 'young', upload.uploadId, [part]);
    expect(await keys()).toEqual(['young']);
  });

  it('cut short in an object’s metadata costs the metadata, not the object', async () => {
    const { etag } = await put('a', 'content');
    const folder = join(dataDir, 'object-metadata', bucket);
    for (const name of await readdir(folder, { recursive: true })) {
      if (name.endsWith('.json')) await writeFile(join(folder, name), '{"key":"a","si');
    }
    const info = await store.head(bucket, 'a');
    expect(info.size).toBe(7);
    expect(info.etag).not.toBe(etag);
  });
});

describe('a part that is still arriving when the upload is completed', () => {
  it('cannot change the object', async () => {
    const { uploadId } = await store.uploads.create(bucket, 'late', {});
    const mib = 1024 * 1024;
    const first = Buffer.alloc(5 * mib, 1);
    const send = (partNumber: number, bytes: AsyncIterable<Uint8Array>) =>
      store.uploads.uploadPart(bucket, 'late', uploadId, partNumber, bytes, {
        expectedLength: 5 * mib,
      });
    const part = await send(1, Readable.from([first]));
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let begun: () => void = () => undefined;
    const arriving = new Promise<void>((resolve) => {
      begun = resolve;
    });
    async function* slow() {
      yield Buffer.alloc(2 * mib, 2);
      begun();
      await released;
      yield Buffer.alloc(3 * mib, 2);
    }
    const late = send(2, slow());
    await arriving;
    await store.uploads.complete(bucket, 'late', uploadId, [part]);
    release();
    await expect(late).rejects.toMatchObject({ code: 'NoSuchUpload' });
    expect((await readFile(path('late'))).equals(first)).toBe(true);
  });
});

describe('a listing of many keys', () => {
  it('pages through a large folder and a deep tree, each key once and in order', async () => {
    const names = Array.from({ length: 3000 }, (_, index) => `k${(index * 7919) % 3000}`);
    await mkdir(path('flat'));
    for (const name of names) await writeFile(path('flat', name), '');
    for (let a = 0; a < 12; a += 1) {
      for (let b = 0; b < 12; b += 1) {
        await mkdir(path('tree', `${a}`, `${b}`), { recursive: true });
        for (let c = 0; c < 5; c += 1) await writeFile(path('tree', `${a}`, `${b}`, `${c}`), '');
      }
    }
    const seen: string[] = [];
    let startAfter = '';
    for (;;) {
      const page = await store.list(bucket, { startAfter, maxKeys: 137 });
      seen.push(...page.objects.map(({ key }) => key));
      if (page.nextStartAfter === undefined) break;
      startAfter = page.nextStartAfter;
    }
    expect(seen).toHaveLength(3000 + 12 * 12 * 5);
    expect(seen).toEqual([...new Set(seen)].sort());
  });

  it('notices files that come and go between pages', async () => {
    await mkdir(path('flat'));
    const name = (index: number) => `k${String(index).padStart(4, '0')}`;
    for (let index = 0; index < 1000; index += 2) await writeFile(path('flat', name(index)), '');
    await new Promise((resolve) => setTimeout(resolve, 80));
    const first = await store.list(bucket, { prefix: 'flat/', maxKeys: 100 });
    await writeFile(path('flat', name(901)), '');
    await rm(path('flat', name(902)));
    const rest = await store.list(bucket, {
      prefix: 'flat/',
      ...(first.nextStartAfter === undefined ? {} : { startAfter: first.nextStartAfter }),
    });
    const all = [...first.objects, ...rest.objects].map(({ key }) => key);
    expect(all).toHaveLength(500);
    expect(all).toContain('flat/k0901');
    expect(all).not.toContain('flat/k0902');
  });
});
