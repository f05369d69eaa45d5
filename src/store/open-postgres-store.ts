import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { JobStore } from './job-store.js';
import { migrateToLatest } from './migrations/migrate-to-latest.js';
import type { Schema } from './schema.js';

/** Connections of one node. PostgreSQL allows 100 in all unless configured, so ten nodes fit. */
const MAX_CONNECTIONS = 8;
/** How long a caller waits for a connection before it is told that the database is away. */
const CONNECTION_TIMEOUT_MS = 10_000;
/** Every statement of ours touches a few rows: one that takes this long will not come back. */
const STATEMENT_TIMEOUT_MS = 30_000;
/** When we give up on an answer ourselves; later than the database, whose error says more. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 5_000;

/** The setting of the database is not a URL. The message leaves it out: it may hold a password. */
export class DatabaseUrlError extends Error {
  override readonly name = 'DatabaseUrlError';
}

/** @throws DatabaseUrlError */
export function checkDatabaseUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new DatabaseUrlError(
      'the database is given as a URL: postgres://USER:PASSWORD@HOST:PORT/DATABASE',
    );
  }
  return parsed;
}

/** Which database a URL names, without the user and the password, for people and logs. */
export function databaseName(url: string): string {
  const { protocol, host, pathname } = checkDatabaseUrl(url);
  return `${protocol}//${host}${pathname}`;
}

/**
 * Opens the job record in a PostgreSQL database, which several nodes may do at once: one of them
 * brings the schema up to date, the others wait for it.
 *
 * @param url `postgres://…`; what it leaves out comes from libpq's variables, such as PGPASSWORD
 * @param onError told when a connection breaks that nobody uses; the next statement opens another
 * @throws DatabaseUrlError, or an error of the database when it can't be reached
 */
export async function openPostgresStore(
  url: string,
  onError: (error: Error) => void,
): Promise<JobStore> {
  checkDatabaseUrl(url);
  await migrate(url, onError);
  const pool = openPool(url, onError, {
    max: MAX_CONNECTIONS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
  });
  return new JobStore(new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) }));
}

/** On a connection of its own, since waiting for another node's migration may take its time. */
async function migrate(url: string, onError: (error: Error) => void): Promise<void> {
  const pool = openPool(url, onError, { max: 2 });
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  try {
    await migrateToLatest(db);
  } finally {
    await db.destroy();
  }
}

/**
 * Whether an error of a statement says that the database is away, or too busy, and may be back: SQLSTATE
 * classes 08, 40, 53 and 57, or no answer of the database at all.
 */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) return /^(08|40|53|57)/.test(error.code ?? '');
  if (!(error instanceof Error)) return false;
  // The system's own codes, and the sentences of the client, which have no code.
  const code = 'code' in error ? String(error.code) : '';
  return /^E[A-Z_]+$/.test(code) || /connection|timeout|terminated/i.test(error.message);
}

function openPool(url: string, onError: (error: Error) => void, options: pg.PoolConfig): pg.Pool {
  // Numbers of 64 bits come as text unless told otherwise; ours are times and counts, below 2⁵³.
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, Number);
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'burnish',
    connectionTimeoutMillis: CONNECTION_TIMEOUT_MS,
    keepAlive: true,
    types,
    ...options,
  });
  pool.on('error', onError);
  // A connection that breaks in use says so beside its statement's own error; unheard, that would end
  // the process.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return pool;
}
