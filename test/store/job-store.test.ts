import { join } from 'node:path';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { testJobStore } from './job-store-suite.js';

testJobStore('SQLite', async () => {
  const folder = temporaryFolder('store');
  return {
    shared: false,
    open: () => openSqliteStore(join(folder, 'jobs.db')),
  };
});
