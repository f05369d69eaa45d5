import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { KeptInputs } from '#burnish/optimizer/forward/stages/kept-inputs.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'burnish-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

const rows = (count: number, width: number, start: number): Float32Array =>
  Float32Array.from({ length: count * width }, (_, index) => start + index);

test.each([
  ['in memory', undefined],
  ['in a file', 0],
])('inputs of one stage after another are kept %s', async (_, memoryBytes) => {
  const kept = new KeptInputs({ folder, ...(memoryBytes === undefined ? {} : { memoryBytes }) });
  try {
    expect(kept.of('own')).toBeUndefined();
    // Wider ones, narrower ones, and of both lanes at once.
    for (const [stage, width] of [3, 8, 2].entries()) {
      for (const [offset, lane] of (['own', 'original'] as const).entries()) {
        const room = await kept.room(lane, 5, width);
        await room?.write(0, rows(2, width, 100 * stage + 1000 * offset));
        await room?.write(2, rows(3, width, 50 + 100 * stage + 1000 * offset));
      }
      for (const [offset, lane] of (['own', 'original'] as const).entries()) {
        const found = kept.of(lane);
        expect(found?.width).toBe(width);
        const start = 100 * stage + 1000 * offset;
        expect(await found?.read(0, 2)).toEqual(rows(2, width, start));
        expect(await found?.read(2, 3)).toEqual(rows(3, width, start + 50));
      }
      await kept.forget();
      expect(kept.of('own')).toBeUndefined();
    }
    // What they are in has no name.
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await kept.close();
  }
});
