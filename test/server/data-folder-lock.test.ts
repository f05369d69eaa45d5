import { readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { DataFolderInUseError, lockDataFolder } from '#burnish/server/data-folder-lock.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const TIMING = { beatMs: 20, silenceMs: 200 };

let folder: string;
let file: string;

beforeEach(() => {
  folder = temporaryFolder('lock');
  file = join(folder, 'service.lock');
});

/** A lock as another process left it: this test's own, where nothing else is said. */
async function leaveLock(change: object): Promise<void> {
  const release = await lockDataFolder(folder, TIMING);
  const holder = JSON.parse(await readFile(file, 'utf8'));
  await release();
  await writeFile(file, JSON.stringify({ ...holder, ...change }));
}

it('lets one service work on a folder, and the next when that has ended', async () => {
  const release = await lockDataFolder(folder, TIMING);
  await expect(lockDataFolder(folder, TIMING)).rejects.toThrow(DataFolderInUseError);
  await release();
  const again = await lockDataFolder(folder, TIMING);
  expect(await readdir(folder)).toEqual(['service.lock']);
  await again();
  expect(await readdir(folder)).toEqual([]);
});

it('takes over the lock of a process that is gone', async () => {
  await leaveLock({ startTicks: '1' });
  await (await lockDataFolder(folder, TIMING))();
});

it('takes over a lock from another container only when it is silent', async () => {
  // A process of the same number that began at the same time, among other processes.
  await leaveLock({ host: 'boot pid:[1]' });
  await (await lockDataFolder(folder, TIMING))();

  await leaveLock({ host: 'boot pid:[1]' });
  let time = 0;
  let touched: Promise<void> = Promise.resolve();
  const beat = setInterval(() => {
    time += 1;
    touched = Promise.all([touched, utimes(file, time, time)]).then(() => undefined);
  }, 5);
  try {
    await expect(lockDataFolder(folder, TIMING)).rejects.toThrow(DataFolderInUseError);
  } finally {
    clearInterval(beat);
    await touched;
  }
});

it('shows that its holder lives', async () => {
  const release = await lockDataFolder(folder, TIMING);
  const holder = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...holder, host: 'boot pid:[1]' }));
  await expect(lockDataFolder(folder, { beatMs: 20, silenceMs: 5_000 })).rejects.toThrow(
    DataFolderInUseError,
  );
  await release();
});
