import { access, mkdir, symlink, writeFile } from 'node:fs/promises';
import { DeleteObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bucket, failing, SdkSession } from './sdk-session.js';

let session: SdkSession;
let s3: S3Client;

beforeAll(async () => {
  session = await SdkSession.start();
  ({ s3 } = session);
});
afterAll(() => session.end());

const put = (Key: string, Body: string | Uint8Array = 'x') => session.put(Key, Body);
const get = (Key: string, more: object = {}) => session.get(Key, more);
const file = (Key: string) => session.file(Key);

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
