import { link, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFolder } from '#burnish/checkpoint/folder.js';
import {
  checkOutputFolder,
  checkSpace,
  copyFiles,
  emptyFolder,
  OutputError,
} from '#burnish/optimizer/output/folder.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const running = new AbortController().signal;

describe('checkOutputFolder', () => {
  it('takes an empty folder beside the source', async () => {
    const folder = temporaryFolder();
    expect(await checkOutputFolder(folder, '/somewhere')).toBe(folder);
  });

  it.each([
    ['is missing', async (folder: string) => join(folder, 'no'), 'does not exist', undefined],
    [
      'has something in it',
      async (folder: string) => {
        await writeFile(join(folder, 'x'), '');
        return folder;
      },
      'is not empty: it has x',
      undefined,
    ],
    ['is the source', async (folder: string) => folder, 'overlap', ''],
    ['holds the source', async (folder: string) => folder, 'overlap', '/model'],
    [
      'is inside the source, by a link',
      async (folder: string) => {
        await mkdir(join(folder, 'inside'));
        await symlink('inside', join(folder, 'alias'));
        return join(folder, 'alias');
      },
      'overlap',
      '',
    ],
  ])('refuses one that %s', async (_, prepare, message, source) => {
    const folder = temporaryFolder();
    const output = await prepare(folder);
    const input = source === undefined ? '/somewhere' : `${folder}${source}`;
    await expect(checkOutputFolder(output, input)).rejects.toThrow(OutputError);
    await expect(checkOutputFolder(output, input)).rejects.toThrow(message);
  });
});

describe('checkSpace', () => {
  it('refuses what the disk cannot hold', async () => {
    const folder = temporaryFolder();
    await checkSpace(folder, 1);
    await expect(checkSpace(folder, Number.MAX_SAFE_INTEGER)).rejects.toThrow('the result needs');
  });
});

describe('copyFiles', () => {
  it('copies bytes, into folders too, as files of their own', async () => {
    const source = temporaryFolder();
    await mkdir(join(source, 'a/b'), { recursive: true });
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 251));
    await writeFile(join(source, 'a/b/data'), bytes);
    await symlink('a/b/data', join(source, 'link'));
    await link(join(source, 'a/b/data'), join(source, 'hard'));
    const output = temporaryFolder();
    const copied: string[] = [];
    await copyFiles(await listFolder(source), output, running, ({ name }) => copied.push(name));
    expect(copied).toEqual(['a/b/data', 'hard', 'link']);
    for (const name of copied) {
      expect(await readFile(join(output, name))).toEqual(bytes);
      expect((await stat(join(output, name))).nlink).toBe(1);
    }
  });

  it('overwrites nothing', async () => {
    const source = temporaryFolder();
    await writeFile(join(source, 'x'), 'new');
    const output = temporaryFolder();
    await writeFile(join(output, 'x'), 'old');
    await expect(copyFiles(await listFolder(source), output, running, () => {})).rejects.toThrow(
      'EEXIST',
    );
    expect(await readFile(join(output, 'x'), 'utf8')).toBe('old');
  });
});

describe('emptyFolder', () => {
  it('leaves the folder and nothing in it', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, 'a/b'), { recursive: true });
    await writeFile(join(folder, 'a/b/c'), '');
    await emptyFolder(folder);
    expect(await listFolder(folder)).toEqual([]);
    expect((await stat(folder)).isDirectory()).toBe(true);
  });
});
