import { randomBytes } from 'node:crypto';
import { MasterKey } from '#burnish/encryption/master-key.js';
import { NamedKeys } from '#burnish/encryption/named-keys.js';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';

/** Named keys in a database of their own, which is gone with the test. */
export async function memoryKeys(now: () => number = Date.now): Promise<NamedKeys> {
  const { keys } = await openSqliteStore(':memory:');
  const owner = { region: 'us-east-1', accountId: '000000000000' };
  return new NamedKeys(keys, new MasterKey(randomBytes(32)), owner, now);
}
