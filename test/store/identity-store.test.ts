import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';
import { testIdentityStore } from './identity-store-suite.js';

testIdentityStore('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'burnish-identities-'));
  return {
    shared: false,
    open: () => openSqliteStore(join(folder, 'jobs.db')),
    remove: () => rm(folder, { recursive: true }),
  };
});
