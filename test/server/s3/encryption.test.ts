import { readFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { userWithPolicy } from '../../support/access.js';
import { KEY, startTestServer } from './s3-server.js';
import { Bucket, failing, MIB, SdkSession } from './sdk-session.js';

let session: SdkSession;
let s3: S3Client;
let keyArn: string;

beforeAll(async () => {
  session = await SdkSession.start();
  ({ s3 } = session);
  const { id, arn } = await session.server.kmsKeys.create();
  await session.server.kmsKeys.aliases.create('alias/team', id);
  keyArn = arn;
});
afterAll(() => session.end());

const put = (Key: string, Body: string, more: object = {}) =>
  s3.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body,
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'alias/team',
      ...more,
    }),
  );

describe('objects under a key', () => {
  it('say so in every answer, and are ciphertext on the disk', async () => {
    const said = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn };
    const stored = await put('a', 'hello, plaintext', { Metadata: { who: 'me' } });
    expect(stored).toMatchObject(said);
    const got = await session.get('a', { ChecksumMode: 'ENABLED' });
    expect(got).toMatchObject({ ...said, ContentLength: 16, Metadata: { who: 'me' } });
    expect(got.bytes.toString()).toBe('hello, plaintext');
    expect(got.ETag).toBe(stored.ETag);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'a' }));
    expect(head).toMatchObject({ ...said, ContentLength: 16, ETag: stored.ETag });
    const part = await session.get('a', { Range: 'bytes=7-11' });
    expect(part).toMatchObject({ ...said, ContentRange: 'bytes 7-11/16' });
    expect(part.bytes.toString()).toBe('plain');
    const listed = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'a' }));
    expect(listed.Contents).toMatchObject([{ Size: 16, ETag: stored.ETag }]);
    expect((await readFile(session.file('a'))).includes('plaintext')).toBe(false);
  });

  it('are under the account’s own key where the client names none', async () => {
    const { SSEKMSKeyId } = await put('own', 'x', { SSEKMSKeyId: undefined });
    expect(SSEKMSKeyId).toBe((await session.server.kmsKeys.describe('alias/aws/s3')).arn);
  });

  it('are copied in clear, or under the key that the copy asks for', async () => {
    await put('from', 'to be copied');
    const CopySource = `${Bucket}/from`;
    const plain = await s3.send(new CopyObjectCommand({ Bucket, Key: 'plain', CopySource }));
    expect(plain.ServerSideEncryption).toBeUndefined();
    expect(await readFile(session.file('plain'), 'utf8')).toBe('to be copied');
    const sse = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn } as const;
    const sealed = await s3.send(
      new CopyObjectCommand({ Bucket, Key: 'plain', CopySource: `${Bucket}/plain`, ...sse }),
    );
    expect(sealed).toMatchObject(sse);
    expect((await readFile(session.file('plain'))).includes('copied')).toBe(false);
    expect((await session.get('plain')).bytes.toString()).toBe('to be copied');
  });

  it('are uploaded in parts', async () => {
    const sse = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: 'alias/team' } as const;
    const object = { Bucket, Key: 'parts' };
    const { UploadId, SSEKMSKeyId } = await s3.send(
      new CreateMultipartUploadCommand({ ...object, ...sse }),
    );
    expect(SSEKMSKeyId).toBe(keyArn);
    const bodies = [Buffer.alloc(5 * MIB, 'first '), Buffer.from('last')];
    const Parts: { PartNumber: number; ETag: string | undefined }[] = [];
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1;
      const sent = await s3.send(new UploadPartCommand({ ...object, UploadId, PartNumber, Body }));
      expect(sent.ServerSideEncryption).toBe('aws:kms');
      Parts.push({ PartNumber, ETag: sent.ETag });
    }
    await s3.send(
      new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }),
    );
    const { bytes } = await session.get('parts');
    expect(bytes.equals(Buffer.concat(bodies))).toBe(true);
    expect((await readFile(session.file('parts'))).includes('first ')).toBe(false);
  });

  it('are refused under a key that is unknown or disabled, as KMS refuses them', async () => {
    expect(await failing(put('b', 'x', { SSEKMSKeyId: 'alias/none' }))).toMatchObject({
      name: 'KMS.NotFoundException',
      $metadata: { httpStatusCode: 400 },
    });
    await session.server.kmsKeys.setEnabled(keyArn, false);
    const refusal = { name: 'KMS.DisabledException', message: `${keyArn} is disabled.` };
    expect(await failing(put('b', 'x'))).toMatchObject(refusal);
    expect(await failing(session.get('a'))).toMatchObject(refusal);
    await session.server.kmsKeys.setEnabled(keyArn, true);
    expect((await session.get('a')).bytes.toString()).toBe('hello, plaintext');
    expect((await failing(session.get('b'))).name).toBe('NoSuchKey');
  });

  it.each([
    [{ ServerSideEncryption: 'aws:kms:dsse' }, 'NotImplemented'],
    [{ ServerSideEncryption: undefined }, 'InvalidArgument'],
    [{ SSEKMSEncryptionContext: 'e30=' }, 'NotImplemented'],
    [{ BucketKeyEnabled: true }, 'NotImplemented'],
  ])('are refused rather than encrypted otherwise than asked: %o', async (more, name) => {
    expect((await failing(put('refused', 'x', more))).name).toBe(name);
  });
});

describe('who may read and write objects, and not use their key', () => {
  const policy = (...Action: string[]) => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: '*' }],
  });

  it.each([
    [policy('s3:*'), { read: false, write: false }],
    [policy('s3:*', 'kms:Decrypt'), { read: true, write: false }],
    [policy('s3:*', 'kms:GenerateDataKey'), { read: false, write: true }],
    [policy('s3:*', 'kms:*'), { read: true, write: true }],
    [
      {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 's3:*', Resource: '*' },
          {
            Effect: 'Allow',
            Action: 'kms:*',
            Resource: '*',
            Condition: { StringEquals: { 'kms:ViaService': 's3.us-east-1.amazonaws.com' } },
          },
        ],
      },
      { read: true, write: true },
    ],
  ])('is told so, in AWS’s words: %j', async (document, allowed) => {
    const server = await startTestServer('us-east-1', userWithPolicy(KEY, document));
    try {
      await server.store.createBucket(Bucket);
      const { id, arn } = await server.kmsKeys.create();
      await server.store.write(Bucket, 'a', Readable.from([Buffer.from('x')]), {
        expectedLength: 1,
        encryption: { keyId: id },
      });
      const client = server.client();
      const outcome = async (request: Promise<unknown>) => {
        const error = await failing(request);
        if (error === undefined) return true;
        expect(error.name).toBe('AccessDenied');
        expect(error.message).toContain(`on resource: "${arn}" because no identity-based policy`);
        return false;
      };
      const object = { Bucket, Key: 'a' };
      const sse = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: id } as const;
      expect({
        read: await outcome(client.send(new GetObjectCommand(object))),
        write: await outcome(client.send(new PutObjectCommand({ ...object, Body: 'y', ...sse }))),
      }).toEqual(allowed);
      // That it is there is no secret.
      await client.send(new HeadObjectCommand(object));
    } finally {
      await server.close();
    }
  });
});
