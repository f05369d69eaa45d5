import { expect, it } from 'vitest';
import { openPostgresStore } from '#burnish/store/open-postgres-store.js';
import { createDatabase, query } from './fresh-database.js';

it('brings the schema up to date once when several nodes start together', async () => {
  const { url, remove } = await createDatabase();
  try {
    const opening = Array.from({ length: 5 }, () => openPostgresStore(url, () => undefined));
    const stores = await Promise.all(opening);
    const migrations = await query(url, 'select name from kysely_migration order by name');
    expect(migrations.length).toBeGreaterThan(0);
    expect(new Set(migrations.map(({ name }) => name)).size).toBe(migrations.length);
    for (const store of stores) expect(await store.countInState('STARTING')).toBe(0);
    await Promise.all(stores.map((store) => store.close()));
  } finally {
    await remove();
  }
});

it('names no password when the database can not be used', async () => {
  const { url, remove } = await createDatabase();
  const wrong = new URL(url);
  wrong.password = 'open-sesame';
  try {
    const failure = await openPostgresStore(wrong.href, () => undefined).catch((error) => error);
    expect(failure).toBeInstanceOf(Error);
    expect(String(failure.stack)).not.toContain('open-sesame');
    expect(failure.message).toContain('password authentication failed');
  } finally {
    await remove();
  }
});
