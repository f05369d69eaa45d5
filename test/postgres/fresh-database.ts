import { randomBytes } from 'node:crypto';
import pg from 'pg';

/** A database of its own in the cluster that `npm run test:postgres` has started. */
export async function createDatabase(): Promise<{
  readonly url: string;
  remove(): Promise<void>;
}> {
  const cluster = process.env.BURNISH_TEST_POSTGRES;
  if (cluster === undefined) {
    throw new Error('These tests need a PostgreSQL: run them with npm run test:postgres.');
  }
  const name = `burnish_${randomBytes(8).toString('hex')}`;
  await query(cluster, `create database ${name}`);
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    remove: async () => {
      await query(cluster, `drop database ${name} with (force)`);
    },
  };
}

/** The rows that one statement gives. */
export async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
