import { openPostgresStore } from '#burnish/store/open-postgres-store.js';
import { testJobStore } from '../store/job-store-suite.js';
import { createDatabase } from './fresh-database.js';

testJobStore('PostgreSQL', async () => {
  const { url, remove } = await createDatabase();
  return { shared: true, open: () => openPostgresStore(url, () => undefined), remove };
});
