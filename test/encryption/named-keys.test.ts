import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { MasterKey } from '#burnish/encryption/master-key.js';
import { NamedKeys } from '#burnish/encryption/named-keys.js';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { testNamedKeys } from './named-keys-suite.js';

testNamedKeys('SQLite', async () => {
  const folder = temporaryFolder('keys');
  return {
    shared: false,
    open: () => openSqliteStore(join(folder, 'jobs.db')),
  };
});

/** Remembers what it was asked to seal. */
class WatchedMasterKey extends MasterKey {
  readonly secrets: Buffer[] = [];

  override seal(purpose: string, secret: Uint8Array): string {
    this.secrets.push(Buffer.from(secret));
    return super.seal(purpose, secret);
  }
}

it('the files of a database give no key away', async () => {
  const folder = temporaryFolder('keys');
  const store = await openSqliteStore(join(folder, 'jobs.db'));
  const owner = { region: 'us-east-1', accountId: '000000000000' };
  const masterKey = new WatchedMasterKey(randomBytes(32));
  const { id } = await new NamedKeys(store.keys, masterKey, owner).create('of team a');
  const files = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name))),
  );
  const record = Buffer.concat(files);
  expect(record.includes(id)).toBe(true);
  const [secret = Buffer.alloc(0)] = masterKey.secrets;
  expect(secret).toHaveLength(32);
  for (const form of [secret, secret.toString('base64'), secret.toString('hex')]) {
    expect(record.includes(form)).toBe(false);
  }
  await store.close();
});
