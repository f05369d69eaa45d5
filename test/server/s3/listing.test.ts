import { ListObjectsCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
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
