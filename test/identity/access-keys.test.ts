import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CredentialsFileError, loadOrCreateAccessKey } from '#burnish/identity/access-keys.js';
import { rootPrincipal } from '#burnish/identity/principal.js';
import { temporaryFolder } from '../support/temporary-folder.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = temporaryFolder('keys');
});

describe('the access key of the first start', () => {
  it('has the form of an AWS key and is kept private, with nothing left over', async () => {
    const key = await loadOrCreateAccessKey(join(dataDir, 'new', 'folder'));
    expect(key.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
    expect(key.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/);
    expect((await readdir(join(dataDir, 'new', 'folder'))).sort()).toEqual([
      'config',
      'credentials',
    ]);
    for (const name of ['config', 'credentials']) {
      expect((await stat(join(dataDir, 'new', 'folder', name))).mode & 0o777).toBe(0o600);
    }
  });

  it('is the same on every later start, and for starts at the same moment', async () => {
    const [a, b] = await Promise.all([
      loadOrCreateAccessKey(dataDir),
      loadOrCreateAccessKey(dataDir),
    ]);
    expect(a).toEqual(b);
    expect(await loadOrCreateAccessKey(dataDir)).toEqual(a);
    expect((await readdir(dataDir)).sort()).toEqual(['config', 'credentials']);
  });

  it('writes the region and leaves a file that is there alone', async () => {
    await loadOrCreateAccessKey(dataDir, { region: 'eu-central-1' });
    expect(await readFile(join(dataDir, 'config'), 'utf8')).toBe(
      '[default]\nregion = eu-central-1\noutput = json\n',
    );
    await writeFile(
      join(dataDir, 'credentials'),
      '# mine\n[default]\naws_access_key_id=AKIAMINE\naws_secret_access_key=a/b+c\n',
    );
    expect(await loadOrCreateAccessKey(dataDir, { accountId: '123456789012' })).toEqual({
      accessKeyId: 'AKIAMINE',
      secretAccessKey: 'a/b+c',
      principal: rootPrincipal('123456789012'),
    });
  });

  it('says what to do about a credentials file without a key', async () => {
    await writeFile(join(dataDir, 'credentials'), '[other]\naws_access_key_id = AKIA\n');
    await expect(loadOrCreateAccessKey(dataDir)).rejects.toThrow(CredentialsFileError);
    await expect(loadOrCreateAccessKey(dataDir)).rejects.toThrow(/\[default\]/);
  });
});
