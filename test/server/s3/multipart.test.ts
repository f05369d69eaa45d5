import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TestServer } from './s3-server.js';
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
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('base64');

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
