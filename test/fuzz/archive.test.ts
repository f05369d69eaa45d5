import { lstat, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { beforeAll, expect, it } from 'vitest';
import { unpackArchive } from '#burnish/objects/archive.js';
import { ArchiveError } from '#burnish/objects/errors.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { type Draw, fuzz } from './fuzz.js';
import { mutateBytes, mutateText, wellFormed } from './mutate.js';

const NAMES = [
  'config.json',
  'model/config.json',
  'model.safetensors',
  'a/b/c/d',
  './a',
  'a//b',
  '../escaped',
  'a/../../escaped',
  '/escaped',
  'link/escaped',
  'pax'.repeat(60),
] as const;
const TYPES = [
  'file',
  'file',
  'file',
  'directory',
  'symlink',
  'link',
  'fifo',
  'block-device',
] as const;

/** Small limits, so that small inputs meet them. */
const LIMITS = {
  totalBytes: 64 * 1024,
  files: 6,
  pathBytes: 128,
  depth: 4,
  ratio: 50,
  ratioFromBytes: 4 * 1024,
};

let folder: string;

beforeAll(async () => {
  folder = temporaryFolder('fuzz-tar');
  await writeFile(join(folder, 'escaped'), 'outside');
});

async function drawArchive(draw: Draw): Promise<Buffer> {
  const tar = pack();
  for (let count = draw.below(9); count > 0; count -= 1) {
    const name = draw.of(NAMES);
    const header = {
      name: draw.chance(0.2) ? wellFormed(mutateText(draw, name)) : name,
      type: draw.of(TYPES),
      linkname: draw.of(['escaped', '..', '/etc/passwd', 'config.json']),
      mode: draw.of([0o644, 0o777, 0o4755, 0]),
      mtime: new Date(0),
    };
    const content = Buffer.alloc(draw.of([0, 1, 511, 512, 513, 20_000]), draw.below(256));
    if (header.type === 'file') tar.entry(header, content);
    else tar.entry(header);
  }
  if (draw.chance(0.9)) tar.finalize();
  else tar.push(null);
  const plain = await buffer(tar);
  const packed = gzipSync(draw.chance(0.4) ? mutateBytes(draw, plain) : plain, { level: 1 });
  return draw.chance(0.2) ? mutateBytes(draw, packed) : packed;
}

it('the archive reader unpacks into its folder, or says no', async () => {
  let count = 0;
  await fuzz(async (draw) => {
    const archive = await drawArchive(draw);
    count += 1;
    const target = join(folder, 'work', String(count));
    await mkdir(join(folder, 'work'), { recursive: true });
    const cut = draw.chance(0.5) ? 1 + draw.below(archive.length + 1) : archive.length;
    const pieces = [archive.subarray(0, cut), archive.subarray(cut)].filter((p) => p.length > 0);
    try {
      await unpackArchive(Readable.from(pieces), 's3://m/a.tar.gz', target, {}, LIMITS);
      let bytes = 0;
      const entries = await readdir(target, { recursive: true, withFileTypes: true });
      for (const entry of entries) {
        expect(entry.isFile() || entry.isDirectory()).toBe(true);
        if (entry.isFile()) bytes += (await lstat(join(entry.parentPath, entry.name))).size;
      }
      expect(entries.filter((entry) => entry.isFile()).length).toBeLessThanOrEqual(LIMITS.files);
      expect(bytes).toBeLessThanOrEqual(LIMITS.totalBytes);
    } catch (error) {
      if (!(error instanceof ArchiveError)) {
        throw new Error(`not an ArchiveError: ${archive.toString('base64').slice(0, 4_000)}`, {
          cause: error,
        });
      }
    } finally {
      await rm(target, { recursive: true, force: true });
    }
  });
  expect(await readdir(folder)).toEqual(['escaped', 'work']);
  expect(await readdir(join(folder, 'work'))).toEqual([]);
  expect(await readFile(join(folder, 'escaped'), 'utf8')).toBe('outside');
});
