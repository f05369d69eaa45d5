import { createHash, randomBytes } from 'node:crypto';
import { access, cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NamedKeys } from '#burnish/encryption/named-keys.js';
import {
  type EmbeddedStore,
  openEmbeddedStore,
} from '#burnish/objects/embedded-store/embedded-store.js';
import {
  HEADER_BYTES,
  SEALED_SEGMENT_BYTES,
  SEGMENT_BYTES,
} from '#burnish/objects/encrypted-files/format.js';
import { memoryKeys } from '../support/named-keys.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const bucket = 'models';
const MIB = 1024 * 1024;
/** No run of bytes like this is in a ciphertext by chance. */
const MARK = 'plaintext-that-must-not-be-on-the-disk';

let dataDir: string;
let keys: NamedKeys;
let keyId: string;
let store: EmbeddedStore;

beforeEach(async () => {
  dataDir = temporaryFolder('encrypted');
  keys = await memoryKeys();
  keyId = (await keys.create()).id;
  store = await openEmbeddedStore(dataDir, keys);
  await store.createBucket(bucket);
});

const file = (key: string) => join(dataDir, 'buckets', bucket, key);

/** Bytes that carry the mark every so often. */
function marked(size: number): Buffer {
  const bytes = randomBytes(size);
  for (let at = 0; at + MARK.length <= size; at += 10_000) bytes.write(MARK, at);
  return bytes;
}

/** The bytes in pieces of odd sizes, as they come from a network. */
function inPieces(bytes: Buffer, piece = 50_021): Readable {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += piece) pieces.push(bytes.subarray(at, at + piece));
  return Readable.from(pieces);
}

const put = (key: string, bytes: Buffer) =>
  store.write(bucket, key, inPieces(bytes), {
    expectedLength: bytes.length,
    encryption: { keyId },
  });

const get = async (key: string, range?: { start: number; end: number }) =>
  buffer((await store.read(bucket, key, range === undefined ? {} : { range })).body);

/** Whether any file of the data folder holds the mark. */
async function plaintextOnDisk(): Promise<string | undefined> {
  for (const entry of await readdir(dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if ((await readFile(path)).includes(MARK)) return path;
  }
  return undefined;
}

describe('an encrypted object', () => {
  it.each([
    0,
    1,
    SEGMENT_BYTES - 1,
    SEGMENT_BYTES,
    SEGMENT_BYTES + 1,
    16 * SEGMENT_BYTES,
    3 * MIB + 17,
  ])('of %d bytes comes back as it was, and is ciphertext on the disk', async (size) => {
    const bytes = marked(size);
    const info = await put('a', bytes);
    expect(info).toMatchObject({ size, encryption: { keyArn: (await keys.describe(keyId)).arn } });
    expect((await get('a')).equals(bytes)).toBe(true);
    expect(await store.head(bucket, 'a')).toMatchObject({ size, etag: info.etag });
    expect((await store.list(bucket)).objects).toMatchObject([{ key: 'a', size, etag: info.etag }]);
    expect(await plaintextOnDisk()).toBeUndefined();
    expect((await stat(file('a'))).size).toBeGreaterThan(size);
    expect(info.etag).not.toBe(createHash('md5').update(bytes).digest('hex'));
  });

  it('is read in any range', async () => {
    const bytes = marked(2 * MIB + 5);
    await put('a', bytes);
    const edges = [0, 1, SEGMENT_BYTES - 1, SEGMENT_BYTES, SEGMENT_BYTES + 1, MIB, 2 * MIB + 4];
    for (const start of edges) {
      for (const end of edges.filter((edge) => edge >= start)) {
        const read = await get('a', { start, end });
        expect(read.equals(bytes.subarray(start, end + 1))).toBe(true);
      }
    }
  });

  it('is known for one, and for its size, without what was noted beside it', async () => {
    const bytes = marked(100_000);
    await put('a', bytes);
    await rm(join(dataDir, 'object-metadata'), { recursive: true });
    expect(await store.head(bucket, 'a')).toMatchObject({ size: 100_000, encryption: {} });
    expect((await store.list(bucket)).objects).toMatchObject([{ size: 100_000 }]);
    expect(await get('a')).toEqual(bytes);
  });

  it('is not given to who may not use its key', async () => {
    await put('a', marked(10));
    const authorizeKey = () => {
      throw new Error('denied');
    };
    await expect(store.open(bucket, 'a', { authorizeKey })).rejects.toThrow('denied');
    await expect(store.head(bucket, 'a')).resolves.toMatchObject({ size: 10 });
    const encryption = { keyId, authorizeKey };
    const writing = store.write(bucket, 'b', Readable.from([]), { expectedLength: 0, encryption });
    await expect(writing).rejects.toThrow('denied');
    await expect(access(file('b'))).rejects.toThrow();
  });

  it('is opened by old versions of its key, and not by a disabled one', async () => {
    const bytes = marked(10);
    await put('a', bytes);
    await keys.rotate(keyId);
    expect(await get('a')).toEqual(bytes);
    await keys.setEnabled(keyId, false);
    await expect(store.open(bucket, 'a')).rejects.toMatchObject({ code: 'DisabledException' });
  });

  it('is not mistaken for one when a client stores the same bytes', async () => {
    await put('a', marked(10));
    const ciphertext = await readFile(file('a'));
    const expectedLength = ciphertext.length;
    await store.write(bucket, 'copy', Readable.from([ciphertext]), { expectedLength });
    expect(await get('copy')).toEqual(ciphertext);
    expect(await store.head(bucket, 'copy')).toMatchObject({ size: expectedLength });
  });
});

describe('a file that was changed behind the service’s back', () => {
  const size = 3 * SEGMENT_BYTES + 100;
  const begin = (segment: number) => HEADER_BYTES + segment * SEALED_SEGMENT_BYTES;
  const flip = (at: number) => (bytes: Buffer) => {
    const changed = Buffer.from(bytes);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    return changed;
  };
  const changes: readonly (readonly [string, (bytes: Buffer) => Buffer])[] = [
    ['a bit of the first segment', flip(begin(0) + 100)],
    ['a bit of a nonce', flip(begin(1))],
    ['a bit of a tag', flip(begin(3) + 100 + 27)],
    ['a bit of the header', flip(40)],
    ['the last byte cut off', (bytes) => bytes.subarray(0, -1)],
    ['the last segment cut off', (bytes) => bytes.subarray(0, begin(3))],
    ['all segments cut off', (bytes) => bytes.subarray(0, HEADER_BYTES)],
    ['a byte more', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
    [
      'two segments exchanged',
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, begin(0)),
          bytes.subarray(begin(1), begin(2)),
          bytes.subarray(begin(0), begin(1)),
          bytes.subarray(begin(2)),
        ]),
    ],
    [
      'a segment twice',
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, begin(1)),
          bytes.subarray(begin(0), begin(1)),
          bytes.subarray(begin(2)),
        ]),
    ],
    [
      'another size in the header',
      (bytes) => {
        const text = bytes.toString('latin1').replace(`"size":${size}`, `"size":${size - 1}`);
        return Buffer.from(text, 'latin1').subarray(0, -1);
      },
    ],
  ];

  it.each(changes)('is not read: %s', async (_what, change) => {
    await put('a', marked(size));
    const bytes = await readFile(file('a'));
    const changed = change(bytes);
    expect(changed.equals(bytes)).toBe(false);
    await writeFile(file('a'), changed);
    await expect(get('a')).rejects.toThrow();
  });

  it('is not read in the place of another object', async () => {
    await put('a', marked(10));
    await put('b', marked(10));
    await cp(file('a'), file('b'));
    await expect(get('b')).rejects.toMatchObject({ code: 'InvalidCiphertextException' });
    expect(await get('a')).toHaveLength(10);
  });

  it('is not read with the segments of another object', async () => {
    await put('a', marked(10));
    await put('b', marked(10));
    const [a, b] = await Promise.all([readFile(file('a')), readFile(file('b'))]);
    const mixed = Buffer.concat([a.subarray(0, HEADER_BYTES), b.subarray(HEADER_BYTES)]);
    await writeFile(file('a'), mixed);
    await expect(get('a')).rejects.toMatchObject({ name: 'DamagedFileError' });
  });
});

describe('an encrypted multipart upload', () => {
  async function upload(parts: readonly { number: number; bytes: Buffer }[], chosen: number[]) {
    const { uploadId } = await store.uploads.create(bucket, 'big', { encryption: { keyId } });
    const etags = new Map<number, string>();
    for (const { number, bytes } of parts) {
      const options = { expectedLength: bytes.length };
      const body = inPieces(bytes);
      const part = await store.uploads.uploadPart(bucket, 'big', uploadId, number, body, options);
      expect(part).toMatchObject({ size: bytes.length, encryption: {} });
      expect(await plaintextOnDisk()).toBeUndefined();
      etags.set(number, part.etag);
    }
    const wanted = chosen.map((partNumber) => ({ partNumber, etag: etags.get(partNumber) ?? '' }));
    return store.uploads.complete(bucket, 'big', uploadId, wanted);
  }

  const FIVE = 5 * MIB;
  const a = marked(FIVE);
  const b = marked(FIVE);
  const c = marked(1234);
  const odd = marked(FIVE + 1001);

  it.each([
    [
      'in order',
      [
        [1, a],
        [2, b],
        [3, c],
      ],
      [1, 2, 3],
      [a, b, c],
    ],
    [
      'out of order',
      [
        [3, c],
        [2, b],
        [1, a],
      ],
      [1, 2, 3],
      [a, b, c],
    ],
    [
      'with a part sent twice',
      [
        [1, b],
        [1, a],
        [2, b],
        [3, c],
      ],
      [1, 2, 3],
      [a, b, c],
    ],
    [
      'of sizes that no segment ends with',
      [
        [1, odd],
        [2, odd],
        [3, c],
      ],
      [1, 2, 3],
      [odd, odd, c],
    ],
    ['of one part', [[1, odd]], [1], [odd]],
    [
      'with a part left out',
      [
        [1, a],
        [2, b],
        [3, c],
      ],
      [1, 3],
      [a, c],
    ],
    [
      'whose last part came first',
      [
        [2, c],
        [1, a],
      ],
      [1, 2],
      [a, c],
    ],
  ] as const)('makes one object of parts %s', async (_what, parts, chosen, whole) => {
    const sent = parts.map(([number, bytes]) => ({ number, bytes }));
    const info = await upload(sent, [...chosen]);
    const expected = Buffer.concat(whole);
    expect(info).toMatchObject({ size: expected.length, encryption: {} });
    expect((await get('big')).equals(expected)).toBe(true);
    const range = { start: FIVE - 10, end: Math.min(FIVE + 10, expected.length - 1) };
    expect(await get('big', range)).toEqual(expected.subarray(range.start, range.end + 1));
    expect(await plaintextOnDisk()).toBeUndefined();
  });

  it('takes no part from who may not use the key', async () => {
    const { uploadId } = await store.uploads.create(bucket, 'big', { encryption: { keyId } });
    const authorizeKey = () => {
      throw new Error('denied');
    };
    const options = { expectedLength: 1, authorizeKey };
    const body = Readable.from([Buffer.alloc(1)]);
    await expect(
      store.uploads.uploadPart(bucket, 'big', uploadId, 1, body, options),
    ).rejects.toThrow('denied');
  });
});

describe('folders', () => {
  async function folder(files: Readonly<Record<string, Buffer>>): Promise<string> {
    const root = join(dataDir, 'work', 'result');
    for (const [name, bytes] of Object.entries(files)) {
      await mkdir(join(root, name, '..'), { recursive: true });
      await writeFile(join(root, name), bytes);
    }
    return root;
  }
  const location = { bucket, key: 'out/model' };
  const files = {
    'config.json': Buffer.from(`{"a":"${MARK}"}`),
    'model.safetensors': marked(2 * MIB + 3),
    'sub/empty': Buffer.alloc(0),
  };

  it('are published encrypted, every file of them, and nothing in clear stays behind', async () => {
    await store.publishFolder(await folder(files), location, { encryption: { keyId } });
    expect(await plaintextOnDisk()).toBeUndefined();
    expect(await readdir(join(dataDir, 'work'))).toEqual([]);
    for (const [name, bytes] of Object.entries(files)) {
      expect((await get(`out/model/${name}`)).equals(bytes)).toBe(true);
      expect(await store.head(bucket, `out/model/${name}`)).toMatchObject({ size: bytes.length });
    }
    const listed = (await store.list(bucket)).objects.map(({ key, size }) => [key, size]);
    expect(listed).toEqual(
      Object.entries(files).map(([name, bytes]) => [`out/model/${name}`, bytes.length]),
    );
  });

  it('stay as they were when the key can’t be used', async () => {
    const result = await folder(files);
    await keys.setEnabled(keyId, false);
    const publishing = store.publishFolder(result, location, { encryption: { keyId } });
    await expect(publishing).rejects.toMatchObject({ code: 'DisabledException' });
    expect(await readdir(file(''))).toEqual([]);
    expect((await readdir(result)).sort()).toEqual(['config.json', 'model.safetensors', 'sub']);
    expect(await readdir(join(dataDir, 'work'))).toEqual(['result']);
  });

  it('are staged in clear, with what in them is not encrypted', async () => {
    await store.publishFolder(await folder(files), location, { encryption: { keyId } });
    await writeFile(file('out/model/notes.txt'), 'by hand');
    const target = join(dataDir, 'work', 'source');
    const staged = await store.stageFolder(location, target);
    expect(staged).toMatchObject({ path: target, readOnly: false, files: 4 });
    for (const [name, bytes] of Object.entries(files)) {
      expect((await readFile(join(target, name))).equals(bytes)).toBe(true);
    }
    expect(await readFile(join(target, 'notes.txt'), 'utf8')).toBe('by hand');
  });

  it('are staged from an encrypted archive', async () => {
    const tar = pack();
    tar.entry({ name: 'config.json' }, '{}');
    tar.finalize();
    await put('model.tar.gz', gzipSync(await buffer(tar)));
    const target = join(dataDir, 'work', 'source');
    await store.stageFolder({ bucket, key: 'model.tar.gz' }, target);
    expect(await readFile(join(target, 'config.json'), 'utf8')).toBe('{}');
  });

  it('are not staged for who may not use the key', async () => {
    await store.publishFolder(await folder(files), location, { encryption: { keyId } });
    const authorizeKey = (action: string) => {
      throw new Error(`denied ${action}`);
    };
    const target = join(dataDir, 'work', 'source');
    await expect(store.stageFolder(location, target, { authorizeKey })).rejects.toThrow(
      'denied kms:Decrypt',
    );
  });
});
