import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** The module as a new process has it, since what it finds out is kept for the life of one. */
async function probe() {
  vi.resetModules();
  const { probeIsolation } = await import(
    '#burnish/executors/local-process/isolation/probe-isolation.js'
  );
  return probeIsolation();
}

afterEach(() => {
  vi.unstubAllEnvs();
});

it('leaves nothing behind', async () => {
  const folder = temporaryFolder('probe');
  vi.stubEnv('TMPDIR', folder);
  await probe();
  expect(readdirSync(folder)).toEqual([]);
});

it('names a temporary folder that can’t be used, rather than failing', async () => {
  const missing = join(temporaryFolder('probe'), 'missing');
  vi.stubEnv('TMPDIR', missing);
  expect(await probe()).toEqual({
    kind: 'none',
    network: false,
    reason: expect.stringContaining(missing),
  });
});
