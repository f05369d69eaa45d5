import { openPostgresStore } from '#burnish/store/open-postgres-store.js';
import { testIdentityStore } from '../store/identity-store-suite.js';
import { createDatabase } from './fresh-database.js';

testIdentityStore('PostgreSQL', async () => {
  const { url, remove } = await createDatabase();
  return { shared: true, open: () => openPostgresStore(url, () => undefined), remove };
});
