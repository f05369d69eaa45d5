import { join } from 'node:path';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { testIdentityStore } from './identity-store-suite.js';

testIdentityStore('SQLite', async () => {
  const folder = temporaryFolder('identities');
  return {
    shared: false,
    open: () => openSqliteStore(join(folder, 'jobs.db')),
  };
});
