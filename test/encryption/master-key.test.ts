import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  loadOrCreateMasterKey,
  MasterKey,
  MasterKeyError,
} from '#burnish/encryption/master-key.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const key = new MasterKey(new Uint8Array(32).fill(7));
const secret = Buffer.from('wJalrXUtnFEMI/K7MDENG');

describe('MasterKey', () => {
  it('opens what it sealed, for the same purpose alone', () => {
    const sealed = key.seal('access key AKIA1', secret);
    expect(sealed).not.toContain(secret.toString('base64'));
    expect(key.open('access key AKIA1', sealed)).toEqual(secret);
    expect(() => key.open('access key AKIA2', sealed)).toThrow(MasterKeyError);
    expect(() => new MasterKey(new Uint8Array(32)).open('access key AKIA1', sealed)).toThrow(
      /another master key/,
    );
  });

  it('never seals the same secret to the same text', () => {
    expect(key.seal('x', secret)).not.toBe(key.seal('x', secret));
  });

  it('refuses what was changed or cut', () => {
    const sealed = Buffer.from(key.seal('x', secret), 'base64');
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(() => key.open('x', changed.toString('base64'))).toThrow(MasterKeyError);
    }
    expect(() => key.open('x', 'AAAA')).toThrow(/too short/);
  });
});

describe('loadOrCreateMasterKey', () => {
  it('makes a private file once and reads it afterwards', async () => {
    const dataDir = temporaryFolder('master-key');
    const [first, second] = await Promise.all([
      loadOrCreateMasterKey(dataDir),
      loadOrCreateMasterKey(dataDir),
    ]);
    expect(second.open('x', first.seal('x', secret))).toEqual(secret);
    expect((await stat(join(dataDir, 'master-key'))).mode & 0o777).toBe(0o600);
  });

  it('takes a key from the environment or a named file, and says which is wrong', async () => {
    const dataDir = temporaryFolder('master-key');
    const text = Buffer.alloc(32, 7).toString('base64');
    const file = join(dataDir, 'mine');
    await writeFile(file, `${text}\n`);
    const sealed = key.seal('x', secret);
    expect((await loadOrCreateMasterKey(dataDir, { key: text })).open('x', sealed)).toEqual(secret);
    expect((await loadOrCreateMasterKey(dataDir, { file })).open('x', sealed)).toEqual(secret);
    await expect(readFile(join(dataDir, 'master-key'))).rejects.toThrow(/ENOENT/);
    await expect(loadOrCreateMasterKey(dataDir, { key: 'short' })).rejects.toThrow(
      /BURNISH_MASTER_KEY does not hold a master key/,
    );
    await expect(loadOrCreateMasterKey(dataDir, { file: join(dataDir, 'none') })).rejects.toThrow(
      /can't be read/,
    );
  });
});
