// Changes the record of a service from a process of its own, as `burnish iam` does: SQLite's driver blocks,
// so two connections of one process could wait for each other. Called by test/support/administer.ts.
import { join } from 'node:path';
import { loadOrCreateMasterKey } from '#burnish/encryption/master-key.js';
import { IdentityAdministration } from '#burnish/identity/identity-administration.js';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';

const [dataDir = ''] = process.argv.slice(2);
const masterKey = await loadOrCreateMasterKey(dataDir);
const store = await openSqliteStore(join(dataDir, 'jobs.db'));
const targets = {
  store,
  record: store.identities,
  identities: new IdentityAdministration(store.identities, masterKey),
};

process.on('message', async ({ id, target, method, args }) => {
  try {
    process.send({ id, result: await targets[target][method](...args) });
  } catch (error) {
    process.send({ id, message: String(error.stack) });
  }
});
process.once('disconnect', () => store.close());
process.send({ ready: true });
