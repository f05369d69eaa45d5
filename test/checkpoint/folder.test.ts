import { execFileSync } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listFolder, plainFileName } from '#burnish/checkpoint/folder.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('listFolder', () => {
  it('lists files of nested folders by their names', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, 'a/b'), { recursive: true });
    await writeFile(join(folder, 'z'), '1');
    await writeFile(join(folder, 'a/b/c'), '22');
    await writeFile(join(folder, '.hidden'), '');
    const files = await listFolder(folder);
    expect(files.map(({ name, size }) => [name, size])).toEqual([
      ['.hidden', 0],
      ['a/b/c', 2],
      ['z', 1],
    ]);
  });

  it('follows a link to a file inside', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, 'blobs'));
    await writeFile(join(folder, 'blobs/x'), '333');
    await symlink('blobs/x', join(folder, 'link'));
    const link = (await listFolder(folder)).find(({ name }) => name === 'link');
    expect(link?.size).toBe(3);
  });

  it('refuses a link that leads out, even to a folder whose name begins the same', async () => {
    const folder = temporaryFolder();
    const inside = join(folder, 'model');
    const sibling = join(folder, 'model-secret');
    await mkdir(inside);
    await mkdir(sibling);
    await writeFile(join(sibling, 'key'), 'secret');
    await symlink('../model-secret/key', join(inside, 'tokenizer.json'));
    await expect(listFolder(inside)).rejects.toThrow(
      'tokenizer.json: is a symbolic link that leads out of the model folder',
    );
  });

  it('refuses links to folders and links to nothing', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, 'sub'));
    await symlink('.', join(folder, 'sub/loop'));
    await expect(listFolder(folder)).rejects.toThrow('sub/loop: is a symbolic link');
    const other = temporaryFolder();
    await symlink('nothing', join(other, 'gone'));
    await expect(listFolder(other)).rejects.toThrow('gone: is a symbolic link to something that');
  });

  it('refuses a pipe, which would block whoever reads it', async () => {
    const folder = temporaryFolder();
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await expect(listFolder(folder)).rejects.toThrow('pipe: is neither a file nor a folder');
  });

  it('refuses folders nested without end', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, ...Array<string>(40).fill('d')), { recursive: true });
    await expect(listFolder(folder)).rejects.toThrow('nested more than');
  });

  it('says that a folder is missing, or is a file', async () => {
    const folder = temporaryFolder();
    await expect(listFolder(join(folder, 'no'))).rejects.toThrow('does not exist');
    await writeFile(join(folder, 'file'), '');
    await expect(listFolder(join(folder, 'file'))).rejects.toThrow('is not a folder');
  });
});

describe('plainFileName', () => {
  it.each(['', '.', '..', 'a/b', '../a', 'a\\b', '/a', 'a\0b'])('refuses %j', (name) => {
    expect(() => plainFileName(name, 'index', 'w')).toThrow('not a plain file name');
  });

  it.each(['model.safetensors', '..a', 'a..b'])('takes %s', (name) => {
    expect(plainFileName(name, 'index', 'w')).toBe(name);
  });
});
