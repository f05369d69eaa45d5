import { openPostgresStore } from '#burnish/store/open-postgres-store.js';
import { testNamedKeys } from '../encryption/named-keys-suite.js';
import { createDatabase } from './fresh-database.js';

testNamedKeys('PostgreSQL', async () => {
  const { url, remove } = await createDatabase();
  return { shared: true, open: () => openPostgresStore(url, () => undefined), remove };
});
