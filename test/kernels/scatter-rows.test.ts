import { createHash } from 'node:crypto';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { createKernelPool, type ScatterRowsTask } from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { temporaryFolder } from '../support/temporary-folder.js';

const pool = createKernelPool({ threads: 2 });
afterAll(() => pool.close());

async function randomFile(folder: string, bytes: number): Promise<Buffer> {
  const random = seededRandom(bytes);
  const data = Buffer.from(Uint8Array.from({ length: bytes }, () => random() * 256));
  await writeFile(join(folder, 'source'), data);
  return data;
}

describe('scattering rows', () => {
  // The second is longer than a piece of a worker's work, the third has rows longer than a slab.
  it.each([
    [7, 30],
    [9001, 1024],
    [5, 3 * 1024 * 1024],
  ])('puts blocks of %d rows of %d bytes in their places', async (rows, rowBytes) => {
    const folder = temporaryFolder();
    const data = await randomFile(folder, rows * rowBytes + 11);
    const path = join(folder, 'target');
    await writeFile(path, '');
    await truncate(path, 2 * data.length);
    const third = Math.floor(rowBytes / 3);
    const columns = [
      { first: 0, length: third },
      { first: 2 * third, length: 4 },
    ];
    const width = third + 4;
    await pool.scatterRows({
      name: 'x',
      source: { path: join(folder, 'source'), offset: 11, length: rows * rowBytes },
      ...{ rows, rowBytes },
      targets: [
        { path, offset: 5, firstRow: 2, rows: 3, columns: [{ first: 0, length: rowBytes }] },
        { path, offset: 5 + 3 * rowBytes, firstRow: 0, rows, columns },
      ],
    });
    const source = data.subarray(11);
    const expected = Buffer.alloc(2 * data.length);
    source.copy(expected, 5, 2 * rowBytes, 5 * rowBytes);
    for (let row = 0; row < rows; row += 1) {
      const at = 5 + 3 * rowBytes + row * width;
      for (const [index, { first, length }] of columns.entries()) {
        const start = row * rowBytes + first;
        source.copy(expected, at + (index === 0 ? 0 : third), start, start + length);
      }
    }
    expect((await readFile(path)).equals(expected)).toBe(true);
  });

  const task: ScatterRowsTask = {
    name: 'x',
    source: { path: '/nowhere', offset: 0, length: 24 },
    ...{ rows: 4, rowBytes: 6 },
    targets: [],
  };
  const target = { path: '/nowhere', offset: 0, firstRow: 0, rows: 1 };

  it.each<readonly [string, Partial<ScatterRowsTask>]>([
    ['rows that are not all', { rows: 3 }],
    ['rows of nothing', { rowBytes: 0 }],
    ['rows too long to hold', { rows: 1, rowBytes: 2 ** 33 }],
    ['a place before the file', { source: { ...task.source, offset: -1 } }],
    ['a row too many', { targets: [{ ...target, rows: 5, columns: [{ first: 0, length: 6 }] }] }],
    ['a column beyond', { targets: [{ ...target, columns: [{ first: 2, length: 5 }] }] }],
    ['no column', { targets: [{ ...target, columns: [] }] }],
    [
      'columns out of order',
      {
        targets: [
          {
            ...target,
            columns: [
              { first: 3, length: 2 },
              { first: 0, length: 2 },
            ],
          },
        ],
      },
    ],
  ])('refuses %s', async (_, change) => {
    await expect(pool.scatterRows({ ...task, ...change })).rejects.toMatchObject({
      name: 'KernelTaskError',
    });
  });

  it('names a source that ends too early', async () => {
    const folder = temporaryFolder();
    await randomFile(folder, 20);
    const source = { ...task.source, path: join(folder, 'source') };
    await expect(pool.scatterRows({ ...task, source })).rejects.toMatchObject({
      name: 'KernelFileError',
      code: 'SHORT_FILE',
    });
  });
});

describe('summing up chunks', () => {
  it.each([0, 1, 4095, 4096, 3_000_001])('of a file of %d bytes', async (bytes) => {
    const folder = temporaryFolder();
    const data = await randomFile(folder, bytes);
    const chunkBytes = bytes > 1e6 ? 2 ** 21 : 1365;
    const { sha256, chunks } = await pool.checksumChunks(join(folder, 'source'), chunkBytes);
    expect(sha256).toBe(createHash('sha256').update(data).digest('hex'));
    const starts = Array.from({ length: Math.ceil(bytes / chunkBytes) }, (_, i) => i * chunkBytes);
    expect(chunks).toEqual(starts.map((start) => crc32(data.subarray(start, start + chunkBytes))));
  });

  it('refuses chunks of nothing', async () => {
    await expect(pool.checksumChunks('/nowhere', 0)).rejects.toThrow(RangeError);
  });
});
