import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import type { LookupFunction } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, startTestServer, type TestServer } from './s3-server.js';

const MIB = 1024 * 1024;
const Bucket = 'models';
let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startTestServer();
  s3 = server.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterAll(async () => {
  expect(server.faults).toEqual([]);
  await server.close();
});

const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64');
const put = (Key: string, Body: string | Uint8Array = 'x') =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body }));
const get = async (Key: string, more: object = {}) => {
  const response = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }));
  return { ...response, bytes: Buffer.from((await response.Body?.transformToByteArray()) ?? []) };
};
const file = (Key: string) => join(server.dataDir, 'buckets', Bucket, Key);
const failing = async (request: Promise<unknown>) => {
  const error: unknown = await request.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error as { name: string; message: string; $metadata: { httpStatusCode: number } };
};

describe('buckets', () => {
  it('are made, found, listed and removed', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'second.bucket' }));
    await s3.send(new CreateBucketCommand({ Bucket: 'second.bucket' }));
    const { Buckets, Owner } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toEqual([Bucket, 'second.bucket']);
    expect(Owner?.ID).toBe('000000000000');
    const head = await s3.send(new HeadBucketCommand({ Bucket: 'second.bucket' }));
    expect(head.BucketRegion).toBe('us-east-1');
    await s3.send(new DeleteBucketCommand({ Bucket: 'second.bucket' }));
    expect((await failing(s3.send(new HeadBucketCommand({ Bucket: 'second.bucket' })))).name).toBe(
      'NotFound',
    );
    expect(
      (await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint,
    ).toBeUndefined();
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
  });

  it('are refused with a bad name, in another region, when full and when missing', async () => {
    expect(await failing(s3.send(new CreateBucketCommand({ Bucket: 'Upper' })))).toMatchObject({
      name: 'InvalidBucketName',
    });
    const elsewhere = new CreateBucketCommand({
      Bucket: 'elsewhere',
      CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' },
    });
    expect((await failing(s3.send(elsewhere))).name).toBe('IllegalLocationConstraintException');
    await put('full');
    expect(await failing(s3.send(new DeleteBucketCommand({ Bucket })))).toMatchObject({
      name: 'BucketNotEmpty',
      $metadata: { httpStatusCode: 409 },
    });
    expect(
      await failing(s3.send(new PutObjectCommand({ Bucket: 'missing', Key: 'a', Body: '' }))),
    ).toMatchObject({ name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } });
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'full' }));
  });
});

describe('objects', () => {
  it('come back as they went in, headers and metadata too, and are plain files', async () => {
    const bytes = randomBytes(3 * MIB + 17);
    const stored = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'folder/ü name+&<>.bin',
        Body: bytes,
        ContentType: 'application/x-test',
        CacheControl: 'no-store',
        ContentEncoding: 'identity',
        Metadata: { purpose: 'a test', 'two-words': 'x' },
      }),
    );
    expect(stored.ETag).toBe(`"${md5(bytes)}"`);
    const back = await get('folder/ü name+&<>.bin', { ChecksumMode: 'ENABLED' });
    expect(back.bytes.equals(bytes)).toBe(true);
    expect(back).toMatchObject({
      ETag: stored.ETag,
      ContentLength: bytes.length,
      ContentType: 'application/x-test',
      CacheControl: 'no-store',
      ContentEncoding: 'identity',
      Metadata: { purpose: 'a test', 'two-words': 'x' },
      ChecksumCRC32: stored.ChecksumCRC32,
      ChecksumType: 'FULL_OBJECT',
    });
    expect((await readFile(file('folder/ü name+&<>.bin'))).equals(bytes)).toBe(true);
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const)(
    'keep the %s checksum that was sent, from a buffer and from a stream',
    async (ChecksumAlgorithm) => {
      const bytes = randomBytes(200_000);
      for (const [form, Body] of [
        ['buffer', bytes],
        ['stream', Readable.from([bytes.subarray(0, 70_000), bytes.subarray(70_000)])],
      ] as const) {
        const Key = `checksums/${ChecksumAlgorithm}-${form}`;
        const stored = await s3.send(
          new PutObjectCommand({
            Bucket,
            Key,
            Body,
            ContentLength: bytes.length,
            ChecksumAlgorithm,
          }),
        );
        const member = `Checksum${ChecksumAlgorithm}` as const;
        expect(stored[member]).toMatch(/=*$/);
        const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
        expect(head[member]).toBe(stored[member]);
        expect((await get(Key, { ChecksumMode: 'ENABLED' })).bytes.equals(bytes)).toBe(true);
      }
    },
  );

  it('have no checksum headers unless asked for', async () => {
    await put('plain');
    const head = await s3
      .send(new HeadObjectCommand({ Bucket, Key: 'plain', ChecksumMode: 'ENABLED' }))
      .then(({ ChecksumCRC32 }) => ChecksumCRC32);
    expect(head).toBe('jNwWgw==');
    const quiet = server.client({ responseChecksumValidation: 'WHEN_REQUIRED' });
    const bare = await quiet.send(new HeadObjectCommand({ Bucket, Key: 'plain' }));
    expect(bare.ChecksumCRC32).toBeUndefined();
  });

  it('get a CRC64NVME checksum when the client sends none', async () => {
    const old = server.client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    await old.send(new PutObjectCommand({ Bucket, Key: 'old', Body: '123456789' }));
    const head = await s3.send(
      new HeadObjectCommand({ Bucket, Key: 'old', ChecksumMode: 'ENABLED' }),
    );
    expect(head.ChecksumCRC64NVME).toBe(Buffer.from('ae8b14860a799888', 'hex').toString('base64'));
  });

  it('are served empty, in ranges, and under conditions', async () => {
    await put('empty', '');
    expect((await get('empty')).bytes.length).toBe(0);
    const { ETag } = await put('range', '0123456789');
    expect((await get('range', { Range: 'bytes=2-4' })).bytes.toString()).toBe('234');
    expect((await get('range', { Range: 'bytes=7-' })).bytes.toString()).toBe('789');
    expect((await get('range', { Range: 'bytes=-3' })).bytes.toString()).toBe('789');
    expect((await get('range', { Range: 'bytes=-30' })).ContentRange).toBe('bytes 0-9/10');
    expect((await get('range', { Range: 'bytes=0-99' })).ContentLength).toBe(10);
    expect((await get('range', { Range: 'lines=1-2' })).ContentLength).toBe(10);
    expect(await failing(get('range', { Range: 'bytes=10-' }))).toMatchObject({
      name: 'InvalidRange',
      $metadata: { httpStatusCode: 416 },
    });
    expect((await failing(get('range', { Range: 'bytes=-0' }))).name).toBe('InvalidRange');
    expect((await failing(get('empty', { Range: 'bytes=0-' }))).name).toBe('InvalidRange');
    expect((await get('range', { IfMatch: ETag })).ContentLength).toBe(10);
    const status = async (more: object) =>
      (await failing(get('range', more))).$metadata.httpStatusCode;
    expect(await status({ IfMatch: '"other"' })).toBe(412);
    expect(await status({ IfNoneMatch: ETag })).toBe(304);
    expect(await status({ IfUnmodifiedSince: new Date(0) })).toBe(412);
    expect(await status({ IfModifiedSince: new Date() })).toBe(304);
    expect((await get('range', { IfModifiedSince: new Date(0) })).ContentLength).toBe(10);
    const other = await get('range', {
      ResponseContentType: 'text/x-override',
      ResponseContentDisposition: 'attachment; filename="a"',
    });
    expect(other).toMatchObject({
      ContentType: 'text/x-override',
      ContentDisposition: 'attachment; filename="a"',
    });
    expect((await get('range', { PartNumber: 1 })).ContentLength).toBe(10);
    expect((await failing(get('range', { PartNumber: 2 }))).name).toBe('InvalidPartNumber');
  });

  it('are written only if absent, or only over a certain version, when asked', async () => {
    const { ETag } = await put('once', 'first');
    const again = (more: object) =>
      failing(s3.send(new PutObjectCommand({ Bucket, Key: 'once', Body: 'second', ...more })));
    expect(await again({ IfNoneMatch: '*' })).toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    expect((await again({ IfMatch: '"other"' })).name).toBe('PreconditionFailed');
    expect((await get('once')).bytes.toString()).toBe('first');
    expect(await again({ IfMatch: ETag })).toBeUndefined();
    expect((await get('once')).bytes.toString()).toBe('second');
  });

  it('of the same new key are written by one of many writers only', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        s3.send(new PutObjectCommand({ Bucket, Key: 'race', Body: `${index}`, IfNoneMatch: '*' })),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('are removed with the folders they leave empty; what is not there is no error', async () => {
    await put('deep/er/a');
    await put('deep/b');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'deep/er/a' }));
    await expect(access(file('deep/er'))).rejects.toThrow('ENOENT');
    await access(file('deep/b'));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'deep/er/a' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'deep' }));
    await access(file('deep/b'));
    const { Deleted, Errors } = await s3.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [{ Key: 'deep/b' }, { Key: 'a&b<"\'>\u0001' }, { Key: '../x' }] },
      }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['deep/b', 'a&b<"\'>\u0001']);
    expect(Errors).toMatchObject([{ Key: '../x', Code: 'InvalidArgument' }]);
    await expect(access(file('deep'))).rejects.toThrow('ENOENT');
  });

  it('are copied with their metadata or new ones', async () => {
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'copy/ä source',
        Body: 'content',
        ContentType: 'text/one',
        Metadata: { a: '1' },
      }),
    );
    const CopySource = `${Bucket}/${encodeURIComponent('copy/ä source')}`;
    const copied = await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy/target', CopySource }));
    expect(copied.CopyObjectResult?.ETag).toBe(`"${md5(Buffer.from('content'))}"`);
    expect(await get('copy/target')).toMatchObject({
      ContentType: 'text/one',
      Metadata: { a: '1' },
    });
    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'copy/target',
        CopySource: `${Bucket}/copy/target`,
        MetadataDirective: 'REPLACE',
        ContentType: 'text/two',
        Metadata: { b: '2' },
      }),
    );
    const target = await get('copy/target');
    expect(target).toMatchObject({ ContentType: 'text/two', Metadata: { b: '2' } });
    expect(target.bytes.toString()).toBe('content');
    const self = { Bucket, Key: 'copy/target', CopySource: `${Bucket}/copy/target` };
    expect((await failing(s3.send(new CopyObjectCommand(self)))).name).toBe('InvalidRequest');
    const gone = { Bucket, Key: 'x', CopySource: `${Bucket}/copy/missing` };
    expect((await failing(s3.send(new CopyObjectCommand(gone)))).name).toBe('NoSuchKey');
    const conditional = { Bucket, Key: 'x', CopySource, CopySourceIfMatch: '"other"' };
    expect((await failing(s3.send(new CopyObjectCommand(conditional)))).name).toBe(
      'PreconditionFailed',
    );
  });

  it('are refused under encryption, tags, grants and other storage classes', async () => {
    const send = (more: object) =>
      failing(s3.send(new PutObjectCommand({ Bucket, Key: 'refused', Body: 'x', ...more })));
    expect(await send({ ServerSideEncryption: 'aws:kms' })).toMatchObject({
      name: 'NotImplemented',
      message: expect.stringContaining('x-amz-server-side-encryption'),
    });
    expect((await send({ Tagging: 'a=b' })).name).toBe('NotImplemented');
    expect((await send({ ACL: 'public-read' })).name).toBe('NotImplemented');
    expect((await send({ StorageClass: 'GLACIER' })).name).toBe('InvalidStorageClass');
    expect((await failing(get('refused'))).name).toBe('NoSuchKey');
    expect((await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'plain' }))).TagSet).toEqual(
      [],
    );
  });
});

describe('what people copy into the folder', () => {
  it('is an object, with an ETag that changes with the file and is nobody’s MD5', async () => {
    await mkdir(file('by-hand'), { recursive: true });
    await writeFile(file('by-hand/a'), 'one');
    const first = await get('by-hand/a');
    expect(first.bytes.toString()).toBe('one');
    expect(first.ETag).toMatch(/^"[0-9a-f]{32}-1"$/);
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'by-hand/' }));
    expect(listed.Contents?.[0]).toMatchObject({ Key: 'by-hand/a', ETag: first.ETag, Size: 3 });
    await writeFile(file('by-hand/a'), 'other');
    expect((await get('by-hand/a')).ETag).not.toBe(first.ETag);
  });

  it('takes the place of what was uploaded, metadata and all', async () => {
    const { ETag } = await put('by-hand/b', 'uploaded');
    await writeFile(file('by-hand/b'), 'edited!!');
    const edited = await get('by-hand/b', { ChecksumMode: 'ENABLED' });
    expect(edited.bytes.toString()).toBe('edited!!');
    expect(edited.ETag).not.toBe(ETag);
    expect(edited.ChecksumCRC32).toBeUndefined();
  });

  it('may be a link to a file inside the buckets, and never leads out of them', async () => {
    await put('by-hand/real', 'inside');
    await symlink(file('by-hand/real'), file('by-hand/link'));
    await symlink('/etc/passwd', file('by-hand/out'));
    await symlink('/etc', file('by-hand/etc'));
    await symlink('nowhere', file('by-hand/dangling'));
    expect((await get('by-hand/link')).bytes.toString()).toBe('inside');
    for (const key of ['by-hand/out', 'by-hand/etc/passwd', 'by-hand/dangling', 'by-hand/etc/']) {
      expect((await failing(get(key))).name).toBe('NoSuchKey');
    }
    for (const Prefix of ['by-hand/', 'by-hand/etc/']) {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
      const keys = Contents.map(({ Key }) => Key);
      expect(keys.filter((key) => /out|etc|dangling/.test(key ?? ''))).toEqual([]);
    }
    expect((await failing(put('by-hand/etc/new'))).name).toBe('AccessDenied');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'by-hand/etc/passwd' }));
    await access('/etc/passwd');
  });
});

describe('keys', () => {
  it.each([
    ['../outside', 'InvalidArgument'],
    ['a/../../outside', 'InvalidArgument'],
    ['a/./b', 'InvalidArgument'],
    ['a//b', 'InvalidArgument'],
    ['a\0b', 'InvalidArgument'],
    [`${'x'.repeat(256)}`, 'KeyTooLongError'],
    [`${'x/'.repeat(600)}y`, 'KeyTooLongError'],
  ])('%j is refused with %s', async (key, code) => {
    expect((await failing(put(key))).name).toBe(code);
    expect((await failing(get(key))).name).toBe(code);
  });

  it.each(['~', '%2e%2e/x', 'a b/c+d', "!*'()", '日本/語😀', '.hidden', 'a:b|c', '\\back\\slash'])(
    '%j is taken as it is',
    async (key) => {
      await put(`odd/${key}`, key);
      expect((await get(`odd/${key}`)).bytes.toString()).toBe(key);
      const { Contents } = await s3.send(
        new ListObjectsV2Command({ Bucket, Prefix: `odd/${key}`, EncodingType: 'url' }),
      );
      expect(Contents?.map(({ Key }) => decodeURIComponent(Key ?? ''))).toEqual([`odd/${key}`]);
    },
  );

  it('cannot be a file and a folder at once', async () => {
    await put('both');
    expect(await failing(put('both/below'))).toMatchObject({
      name: 'KeyConflict',
      $metadata: { httpStatusCode: 409 },
    });
    await put('other/below');
    expect((await failing(put('other'))).name).toBe('KeyConflict');
    expect((await get('both')).bytes.toString()).toBe('x');
  });

  it('ending in a slash make folders, which hold nothing themselves', async () => {
    await put('marker/inner/', '');
    expect((await get('marker/inner/')).bytes.length).toBe(0);
    const list = async () => {
      const { Contents = [] } = await s3.send(
        new ListObjectsV2Command({ Bucket, Prefix: 'marker/' }),
      );
      return Contents.map(({ Key }) => Key);
    };
    expect(await list()).toEqual(['marker/inner/']);
    await put('marker/inner/file');
    expect(await list()).toEqual(['marker/inner/file']);
    expect((await failing(put('marker/data/', 'data'))).name).toBe('InvalidArgument');
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'marker/inner/' }));
    expect(await list()).toEqual(['marker/inner/file']);
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'marker/inner/file' }));
    expect(await list()).toEqual([]);
  });
});

describe('listing', () => {
  const keys = ['a', 'a-b', 'a.b', 'a/1', 'a/2/x', 'a/2/y', 'a0', 'b', 'é', '\uffee', '😀'];
  beforeAll(async () => {
    for (const key of keys) if (key !== 'a') await put(`l/${key}`);
  });
  const expected = keys.filter((key) => key !== 'a').map((key) => `l/${key}`);

  it('is in byte order and pages through with any page size', async () => {
    for (const MaxKeys of [1, 2, 3, 1000]) {
      const seen: (string | undefined)[] = [];
      let token: string | undefined;
      do {
        const page = await s3.send(
          new ListObjectsV2Command({
            Bucket,
            Prefix: 'l/',
            MaxKeys,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          }),
        );
        seen.push(...(page.Contents ?? []).map(({ Key }) => Key));
        token = page.NextContinuationToken;
        expect(page.IsTruncated).toBe(token !== undefined);
      } while (token !== undefined);
      expect(seen).toEqual(expected);
    }
  });

  it('rolls up common prefixes, page by page too, in both versions', async () => {
    for (const MaxKeys of [1, 2, 1000]) {
      const seen: (string | undefined)[] = [];
      let Marker: string | undefined;
      do {
        const page = await s3.send(
          new ListObjectsCommand({
            Bucket,
            Prefix: 'l/',
            Delimiter: '/',
            MaxKeys,
            ...(Marker === undefined ? {} : { Marker }),
          }),
        );
        seen.push(...(page.Contents ?? []).map(({ Key }) => Key));
        seen.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
        Marker = page.IsTruncated ? page.NextMarker : undefined;
      } while (Marker !== undefined);
      expect(seen.sort()).toEqual(
        ['l/a-b', 'l/a.b', 'l/a/', 'l/a0', 'l/b', 'l/é', 'l/\uffee', 'l/😀'].sort(),
      );
    }
    const inner = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'l/a', Delimiter: '/' }),
    );
    expect(inner.CommonPrefixes).toEqual([{ Prefix: 'l/a/' }]);
    expect(inner.KeyCount).toBe(4);
    const odd = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'l/a', Delimiter: '2/' }));
    expect(odd.CommonPrefixes).toEqual([{ Prefix: 'l/a/2/' }]);
    expect(odd.Contents?.map(({ Key }) => Key)).toEqual(['l/a-b', 'l/a.b', 'l/a/1', 'l/a0']);
  });

  it('starts anywhere, inside a folder that is rolled up too', async () => {
    const list = async (StartAfter: string, Delimiter?: string) => {
      const page = await s3.send(
        new ListObjectsV2Command({
          Bucket,
          Prefix: 'l/',
          StartAfter,
          FetchOwner: true,
          ...(Delimiter === undefined ? {} : { Delimiter }),
        }),
      );
      return [
        ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
        ...(page.Contents ?? []).map(({ Key }) => Key),
      ];
    };
    expect(await list('l/a/2/x')).toEqual(expected.slice(expected.indexOf('l/a/2/y')));
    expect(await list('l/a/2/')).toEqual(expected.slice(expected.indexOf('l/a/2/x')));
    expect(await list('l/a/', '/')).toEqual(['l/a0', 'l/b', 'l/é', 'l/\uffee', 'l/😀']);
    expect(await list('l/a/2/x', '/')).toEqual(['l/a/', 'l/a0', 'l/b', 'l/é', 'l/\uffee', 'l/😀']);
    expect(await list('l/a/2/y', '/')).toEqual(['l/a0', 'l/b', 'l/é', 'l/\uffee', 'l/😀']);
    expect(await list('m')).toEqual([]);
    expect(await list('')).toEqual(expected);
  });

  it('of nothing, of a prefix that no key can have, and with bad arguments', async () => {
    for (const Prefix of ['none', 'l/a/2/x/', '../', 'l//', 'l/../l/', `${'x/'.repeat(500)}`]) {
      const { KeyCount } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
      expect(KeyCount).toBe(0);
    }
    const none = await s3.send(new ListObjectsV2Command({ Bucket, MaxKeys: 0 }));
    expect(none).toMatchObject({ KeyCount: 0, IsTruncated: false });
    const bad = (more: object) =>
      failing(s3.send(new ListObjectsV2Command({ Bucket, ...more }))).then(({ name }) => name);
    expect(await bad({ MaxKeys: -1 })).toBe('InvalidArgument');
    expect(await bad({ ContinuationToken: '../x' })).toBe('InvalidArgument');
    expect(await bad({ EncodingType: 'base64' })).toBe('InvalidArgument');
    expect(await bad({ Bucket: 'missing' })).toBe('NoSuchBucket');
  });
});

describe('multipart uploads', () => {
  const parts = [randomBytes(5 * MIB), randomBytes(5 * MIB), randomBytes(1234)];
  const whole = Buffer.concat(parts);

  interface Sent {
    PartNumber: number;
    ETag?: string | undefined;
  }
  async function upload(Key: string, order: readonly number[], create: object = {}) {
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({ Bucket, Key, ...create }),
    );
    const sent: Sent[] = [];
    for (const PartNumber of order) {
      const Body = parts[PartNumber - 1] ?? Buffer.alloc(0);
      const part = await s3.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body, ...create }),
      );
      sent.push({ ...part, PartNumber });
    }
    return { UploadId, sent: sent.sort((a, b) => a.PartNumber - b.PartNumber) };
  }
  const complete = (Key: string, UploadId: string | undefined, Parts: Sent[], more: object = {}) =>
    s3.send(
      new CompleteMultipartUploadCommand({
        Bucket,
        Key,
        UploadId,
        MultipartUpload: { Parts: Parts as { PartNumber: number; ETag: string }[] },
        ...more,
      }),
    );
  const etag = `"${md5(Buffer.concat(parts.map((part) => Buffer.from(md5(part), 'hex'))))}-3"`;

  it.each([
    ['in order', [1, 2, 3]],
    ['the last one first', [3, 2, 1]],
    ['one of them twice', [1, 2, 2, 3]],
    ['the first one twice', [1, 1, 2, 3]],
  ])('put the parts together, sent %s', async (_name, order) => {
    const Key = `multi/${order.join('')}`;
    const { UploadId, sent } = await upload(Key, order, { Metadata: { a: 'b' } });
    expect((await failing(get(Key))).name).toBe('NoSuchKey');
    const listed = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }));
    expect(listed.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 5 * MIB],
      [2, 5 * MIB],
      [3, 1234],
    ]);
    const unique = sent.filter(({ PartNumber }, at) => sent[at + 1]?.PartNumber !== PartNumber);
    const done = await complete(Key, UploadId, unique);
    expect(done.ETag).toBe(etag);
    const back = await get(Key);
    expect(back.bytes.equals(whole)).toBe(true);
    expect(back).toMatchObject({ ETag: etag, Metadata: { a: 'b' } });
    expect((await failing(complete(Key, UploadId, unique))).name).toBe('NoSuchUpload');
  });

  it('take a choice of parts, numbered with gaps', async () => {
    const Key = 'multi/gaps';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const sent: Sent[] = [];
    for (const PartNumber of [2, 7, 9]) {
      const Body = parts[[2, 7, 9].indexOf(PartNumber)] ?? Buffer.alloc(0);
      sent.push({
        ...(await s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))),
        PartNumber,
      } as Sent);
    }
    await s3.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber: 10, Body: 'left out' }),
    );
    expect((await complete(Key, UploadId, sent)).ETag).toBe(etag);
    expect((await get(Key)).bytes.equals(whole)).toBe(true);
  });

  it.each([
    ['CRC64NVME', 'FULL_OBJECT'],
    ['CRC32', 'FULL_OBJECT'],
    ['CRC32C', 'COMPOSITE'],
    ['SHA1', 'COMPOSITE'],
    ['SHA256', 'COMPOSITE'],
  ] as const)('have a %s checksum, %s', async (ChecksumAlgorithm, ChecksumType) => {
    const Key = `multi/${ChecksumAlgorithm}`;
    const { UploadId, sent } = await upload(Key, [1, 2, 3], { ChecksumAlgorithm, ChecksumType });
    const member = `Checksum${ChecksumAlgorithm}` as const;
    const { ChecksumType: type, ...done } = await complete(Key, UploadId, sent);
    expect(type).toBe(ChecksumType);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(head[member]).toBe(done[member]);
    const { CopyObjectResult } = await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: `${Key}-copy`,
        CopySource: `${Bucket}/${Key}`,
        ChecksumAlgorithm,
      }),
    );
    if (ChecksumType === 'FULL_OBJECT') {
      expect(CopyObjectResult?.[member]).toBe(done[member]);
    } else {
      expect(done[member]).toMatch(/-3$/);
    }
    if (ChecksumAlgorithm === 'SHA256') {
      expect(CopyObjectResult?.[member]).toBe(sha256(whole));
      const digests = parts.map((part) => Buffer.from(sha256(part), 'base64'));
      expect(done[member]).toBe(`${sha256(Buffer.concat(digests))}-3`);
    }
  });

  it('are refused when the parts or the whole are not what the client says', async () => {
    const Key = 'multi/wrong';
    const { UploadId, sent } = await upload(Key, [1, 2, 3]);
    const [one, two, three] = sent;
    if (one === undefined || two === undefined || three === undefined) throw new Error('no parts');
    const refused = (Parts: Sent[], more: object = {}) =>
      failing(complete(Key, UploadId, Parts, more)).then(({ name }) => name);
    expect(await refused([two, one])).toBe('InvalidPartOrder');
    expect(await refused([one, one])).toBe('InvalidPartOrder');
    expect(await refused([one, { ...two, ETag: one.ETag }])).toBe('InvalidPart');
    expect(await refused([one, { ...two, PartNumber: 4 }])).toBe('InvalidPart');
    expect(await refused([one, three, { ...two, PartNumber: 5 }])).toBe('InvalidPart');
    expect(await refused([])).toBe('MalformedXML');
    expect(await refused(sent, { MpuObjectSize: 1 })).toBe('InvalidRequest');
    expect(await refused(sent, { ChecksumCRC64NVME: 'AAAAAAAAAAA=' })).toBe('BadDigest');
    await put(Key, 'in the way');
    expect(await refused(sent, { IfNoneMatch: '*' })).toBe('PreconditionFailed');
    expect((await get(Key)).bytes.toString()).toBe('in the way');
    await complete(Key, UploadId, sent);
    expect((await get(Key)).bytes.equals(whole)).toBe(true);
  });

  it('have parts of at least 5 MiB, but for the last', async () => {
    const Key = 'multi/small';
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const sent: Sent[] = [];
    for (const PartNumber of [1, 2]) {
      const part = await s3.send(
        new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: 'tiny' }),
      );
      sent.push({ ...part, PartNumber } as Sent);
    }
    expect((await failing(complete(Key, UploadId, sent))).name).toBe('EntityTooSmall');
  });

  it('are listed and aborted, and leave nothing behind', async () => {
    const { UploadId } = await upload('multi/z', [1, 3]);
    const second = await upload('multi/y', [3]);
    const { Uploads = [] } = await s3.send(
      new ListMultipartUploadsCommand({ Bucket, Prefix: 'multi/' }),
    );
    expect(Uploads.map(({ Key }) => Key)).toEqual(['multi/small', 'multi/y', 'multi/z']);
    const page = await s3.send(
      new ListMultipartUploadsCommand({ Bucket, Prefix: 'multi/', MaxUploads: 2 }),
    );
    expect(page).toMatchObject({ IsTruncated: true, NextKeyMarker: 'multi/y' });
    const rest = await s3.send(
      new ListMultipartUploadsCommand({
        Bucket,
        Prefix: 'multi/',
        KeyMarker: page.NextKeyMarker,
        UploadIdMarker: page.NextUploadIdMarker,
      }),
    );
    expect(rest.Uploads?.map(({ Key }) => Key)).toEqual(['multi/z']);
    for (const { Key, UploadId: id } of Uploads) {
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: id }));
    }
    expect(await readdir(join(server.dataDir, 'object-uploads', 'multipart'))).toEqual([]);
    expect(await readdir(join(server.dataDir, 'object-uploads', 'incoming'))).toEqual([]);
    for (const wrong of [UploadId, second.UploadId, '../../buckets', '']) {
      expect(
        (
          await failing(
            s3.send(
              new UploadPartCommand({
                Bucket,
                Key: 'multi/z',
                UploadId: wrong,
                PartNumber: 1,
                Body: '',
              }),
            ),
          )
        ).name,
      ).toMatch(/NoSuchUpload|InvalidArgument|MethodNotAllowed|Error/);
    }
  });

  it('take parts from other objects, whole or in ranges', async () => {
    await put('multi/source', whole);
    const Key = 'multi/copied';
    const CopySource = `${Bucket}/multi/source`;
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const copy = async (PartNumber: number, more: object) => {
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({ Bucket, Key, UploadId, PartNumber, CopySource, ...more }),
      );
      return { PartNumber, ETag: CopyPartResult?.ETag };
    };
    const end = whole.length - 1;
    const sent = [await copy(1, {}), await copy(2, { CopySourceRange: `bytes=10-${end}` })];
    await complete(Key, UploadId, sent);
    expect((await get(Key)).bytes.equals(Buffer.concat([whole, whole.subarray(10)]))).toBe(true);
    const { UploadId: other } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    const bad = new UploadPartCopyCommand({
      Bucket,
      Key,
      UploadId: other,
      PartNumber: 1,
      CopySource,
      CopySourceRange: `bytes=0-${whole.length}`,
    });
    expect((await failing(s3.send(bad))).name).toBe('InvalidArgument');
  });
});

/** Not every resolver knows that all of `localhost` is this machine. */
const toLoopback: LookupFunction = (_host, options, found) => {
  if (options.all === true) found(null, [{ address: '127.0.0.1', family: 4 }]);
  else found(null, '127.0.0.1', 4);
};

describe('the client', () => {
  it('may put the bucket into the host name', async () => {
    const virtual = server.client({
      endpoint: `http://localhost:${server.port}`,
      forcePathStyle: false,
      requestHandler: { httpAgent: new Agent({ lookup: toLoopback }) },
    });
    await virtual.send(new PutObjectCommand({ Bucket, Key: 'virtual/a', Body: 'v' }));
    expect((await get('virtual/a')).bytes.toString()).toBe('v');
    const { KeyCount } = await virtual.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'virtual/' }),
    );
    expect(KeyCount).toBe(1);
  });

  it('must have the right key', async () => {
    const wrong = server.client({ credentials: { ...KEY, secretAccessKey: 'guess' } });
    expect(await failing(wrong.send(new ListBucketsCommand({})))).toMatchObject({
      name: 'SignatureDoesNotMatch',
      $metadata: { httpStatusCode: 403 },
    });
    const unknown = server.client({ credentials: { ...KEY, accessKeyId: 'AKIANOBODY' } });
    expect((await failing(unknown.send(new ListBucketsCommand({})))).name).toBe(
      'InvalidAccessKeyId',
    );
    const session = server.client({ credentials: { ...KEY, sessionToken: 'token' } });
    expect((await failing(session.send(new ListBucketsCommand({})))).name).toBe('InvalidToken');
    const nobody = await fetch(`${server.url}/${Bucket}/plain`);
    expect(nobody.status).toBe(403);
    expect(await nobody.text()).toMatch(/<Code>AccessDenied<\/Code>.*<RequestId>request-\d+</);
  });
});
