import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { folderSource } from '#burnish/checkpoint/chunked/folder-source.js';
import { type ChunkSource, readManifest, readRank } from '#burnish/checkpoint/chunked/read-rank.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const CHUNK = 96;

/** Two tensors of one rank in a file of three chunks, written without the code under test. */
function example() {
  const bytes = Buffer.alloc(232);
  for (let index = 0; index < 100; index += 1) bytes[index] = index + 1;
  for (let index = 0; index < 104; index += 1) bytes[128 + index] = 255 - index;
  const chunks = [0, 96, 192].map((start) =>
    crc32(bytes.subarray(start, Math.min(start + CHUNK, bytes.length)))
      .toString(16)
      .padStart(8, '0'),
  );
  const first = { name: 'a', dtype: 'U8', shape: [10, 10], offset: 0, bytes: 100 };
  const second = {
    ...{ name: 'b', dtype: 'BF16', shape: [4, 13], offset: 128, bytes: 104 },
    slice: { of: [8, 13], axis: 0, ranges: [[4, 4]] },
  };
  const rank = {
    ...{ pipelineRank: 0, tensorRank: 0, layers: [0, 1], file: 'x.chunks' },
    ...{ bytes: bytes.length, chunks, tensors: [first, second] },
  };
  const manifest = {
    ...{ format: 'burnish-chunked-weights', version: 1 },
    framework: { name: 'burnish', version: '0.1.0' },
    model: { type: 'llama', architecture: 'llama', quantization: null },
    ...{ tensorParallelDegree: 1, pipelineParallelDegree: 1, expertParallel: false },
    chunkBytes: CHUNK,
    ranks: [rank],
  };
  return { bytes, manifest, rank, first, second };
}

async function written(change: (of: ReturnType<typeof example>) => unknown = () => undefined) {
  const made = example();
  const folder = temporaryFolder();
  await writeFile(join(folder, 'x.chunks'), made.bytes);
  const text = JSON.stringify(change(made) ?? made.manifest);
  await writeFile(join(folder, 'model.chunks.json'), text);
  return { ...made, folder, source: folderSource(folder) };
}

const RANK = { pipelineRank: 0, tensorRank: 0 };

describe('reading one rank', () => {
  it('gives the tensors, whichever chunks they lie in, each byte read once', async () => {
    const { source, bytes } = await written();
    const ranges: (readonly [number, number])[] = [];
    const counted: ChunkSource = {
      ...source,
      readRange: (file, offset, length, signal) => {
        ranges.push([offset, length]);
        return source.readRange(file, offset, length, signal);
      },
    };
    const rank = await readRank(counted, await readManifest(counted), RANK, { parallel: 2 });
    expect([...rank.keys()]).toEqual(['a', 'b']);
    expect(Buffer.from(rank.get('a')?.data ?? [])).toEqual(bytes.subarray(0, 100));
    expect(Buffer.from(rank.get('b')?.data ?? [])).toEqual(bytes.subarray(128));
    expect(ranges.sort(([a], [b]) => a - b)).toEqual([
      [0, 96],
      [96, 96],
      [192, 40],
    ]);
  });

  it('stops when it is told to', async () => {
    const { source } = await written();
    const manifest = await readManifest(source);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(readRank(source, manifest, RANK, { signal })).rejects.toThrow('enough');
  });

  it('refuses a rank that is not there', async () => {
    const { source } = await written();
    const wanted = { pipelineRank: 0, tensorRank: 1 };
    await expect(readRank(source, await readManifest(source), wanted)).rejects.toThrow(
      'has no rank (0, 1): its degrees are 1 and 1',
    );
  });

  it('refuses a chunk that is damaged, wherever the damage is', async () => {
    const { source, folder, bytes } = await written();
    const manifest = await readManifest(source);
    for (const place of [0, 95, 96, 110, 191, 231]) {
      const damaged = Buffer.from(bytes);
      damaged[place] = (damaged[place] ?? 0) ^ 1;
      await writeFile(join(folder, 'x.chunks'), damaged);
      await expect(readRank(source, manifest, RANK)).rejects.toThrow(
        new RegExp(
          `x\\.chunks: its chunk ${Math.floor(place / CHUNK)} has the checksum .* damaged`,
        ),
      );
    }
  });

  it('refuses a file that is short, and one that is missing', async () => {
    const { source, folder } = await written();
    const manifest = await readManifest(source);
    await truncate(join(folder, 'x.chunks'), 200);
    await expect(readRank(source, manifest, RANK)).rejects.toThrow(
      'x.chunks: its chunk 2 has 8 bytes instead of 40: the file is truncated',
    );
    await rm(join(folder, 'x.chunks'));
    await expect(readRank(source, manifest, RANK)).rejects.toThrow('x.chunks: is not there');
  });
});

describe('a manifest is refused', () => {
  it('that is missing, or no JSON', async () => {
    const folder = temporaryFolder();
    await expect(readManifest(folderSource(folder))).rejects.toThrow(
      'model.chunks.json: is not there',
    );
    await writeFile(join(folder, 'model.chunks.json'), '{');
    await expect(readManifest(folderSource(folder))).rejects.toThrow('is not valid JSON');
  });

  type Example = ReturnType<typeof example>;
  const withRank = ({ manifest, rank }: Example, change: object) => ({
    ...manifest,
    ranks: [{ ...rank, ...change }],
  });
  const withFirst = (made: Example, change: object) =>
    withRank(made, { tensors: [{ ...made.first, ...change }, made.second] });
  const withSecond = (made: Example, change: object) =>
    withRank(made, { tensors: [made.first, { ...made.second, ...change }] });
  const withSlice = (made: Example, change: object) =>
    withSecond(made, { slice: { ...made.second.slice, ...change } });

  it.each<readonly [string, (made: Example) => unknown, string]>([
    ['of another format', ({ manifest }) => ({ ...manifest, format: 'x' }), 'not of the format'],
    ['of a later version', ({ manifest }) => ({ ...manifest, version: 2 }), 'has the version 2'],
    [
      'with fewer ranks than its degrees say',
      ({ manifest }) => ({ ...manifest, tensorParallelDegree: 2 }),
      'does not list 2 ranks',
    ],
    [
      'with degrees that are none',
      ({ manifest }) => ({ ...manifest, tensorParallelDegree: 0 }),
      'has tensorParallelDegree 0',
    ],
    ['with chunks of no size', ({ manifest }) => ({ ...manifest, chunkBytes: 0 }), 'chunkBytes 0'],
    [
      'with chunks larger than memory',
      ({ manifest }) => ({ ...manifest, chunkBytes: 2 ** 40 }),
      'chunkBytes 1099511627776',
    ],
    ['with a rank elsewhere', (made) => withRank(made, { tensorRank: 3 }), 'has no rank (0, 0)'],
    [
      'with too few checksums',
      (made) => withRank(made, { chunks: ['00000000'] }),
      'does not have 3 checksums',
    ],
    [
      'with checksums that are none',
      (made) => withRank(made, { chunks: ['0', '1', '2'] }),
      'does not have 3 checksums',
    ],
    [
      'with a file elsewhere',
      (made) => withRank(made, { file: '../secret' }),
      'not a plain file name',
    ],
    [
      'with a tensor beyond the file',
      (made) => withSecond(made, { offset: 192 }),
      'ends at 296, but the file of rank (0, 0) has 232 bytes',
    ],
    [
      'with tensors that overlap',
      (made) => withSecond(made, { offset: 64 }),
      'overlaps the tensor before it',
    ],
    ['with a tensor out of place', (made) => withSecond(made, { offset: 127 }), 'not aligned'],
    ['with a tensor twice', (made) => withSecond(made, { name: 'a' }), 'is twice in rank (0, 0)'],
    ['with a size that is wrong', (made) => withFirst(made, { bytes: 99 }), 'needs 100'],
    ['with an unknown type', (made) => withFirst(made, { dtype: 'X8' }), 'has no known type'],
    ['with a negative shape', (made) => withFirst(made, { shape: [-10, -10] }), 'has no shape'],
    ['with a slice of another rank', (made) => withSlice(made, { of: [8] }), 'slice has no shape'],
    ['with a slice along nothing', (made) => withSlice(made, { axis: 2 }), 'slice has no axis'],
    [
      'with a slice of another width',
      (made) => withSlice(made, { of: [8, 12] }),
      'differs in another dimension',
    ],
    [
      'with a slice beyond its tensor',
      (made) => withSlice(made, { ranges: [[5, 4]] }),
      'reaches beyond the tensor',
    ],
    [
      'with a slice longer than the rank’s part',
      (made) =>
        withSlice(made, {
          ranges: [
            [0, 4],
            [4, 1],
          ],
        }),
      'longer than its shape',
    ],
  ])('%s', async (_, change, expected) => {
    const { source } = await written(change);
    await expect(readManifest(source)).rejects.toThrow(expected);
  });

  it('unless it is as it should be', async () => {
    const { source, folder, manifest } = await written();
    expect(await readManifest(source)).toEqual(manifest);
    expect(JSON.parse(await readFile(join(folder, 'model.chunks.json'), 'utf8'))).toEqual(manifest);
  });
});
