import { mkdir, readdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { removeOldProbeFolders } from '#burnish/executors/local-process/isolation/probe-folders.js';
import { temporaryFolder } from '../support/temporary-folder.js';

it('removes what a killed process has left, and nothing of those that still try', async () => {
  const folder = temporaryFolder('probes');
  const elsewhere = temporaryFolder('elsewhere');
  await writeFile(join(elsewhere, 'precious'), 'data');
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const name of ['burnish-isolation-old', 'burnish-isolation-young', 'other-old']) {
    await mkdir(join(folder, name, 'work', 'job'), { recursive: true });
    await symlink(elsewhere, join(folder, name, 'link'));
    if (name.endsWith('old')) await utimes(join(folder, name), longAgo, longAgo);
  }
  await removeOldProbeFolders(folder);
  expect((await readdir(folder)).sort()).toEqual(['burnish-isolation-young', 'other-old']);
  expect(await readdir(elsewhere)).toEqual(['precious']);
  await removeOldProbeFolders(join(folder, 'nowhere'));
});
