import { createHash, randomBytes } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import type { LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY, type TestServer } from './s3-server.js';
import { Bucket, failing, MIB, SdkSession } from './sdk-session.js';

let session: SdkSession;
let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  session = await SdkSession.start();
  ({ server, s3 } = session);
});
afterAll(() => session.end());

const put = (Key: string, Body: string | Uint8Array = 'x') => session.put(Key, Body);
const get = (Key: string, more: object = {}) => session.get(Key, more);
const file = (Key: string) => session.file(Key);
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

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

  it('are refused under other encryption than KMS’s, tags, grants and other storage classes', async () => {
    const send = (more: object) =>
      failing(s3.send(new PutObjectCommand({ Bucket, Key: 'refused', Body: 'x', ...more })));
    expect(await send({ ServerSideEncryption: 'AES256' })).toMatchObject({
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
