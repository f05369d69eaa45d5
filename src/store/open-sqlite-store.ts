import { Kysely, SqliteDialect } from 'kysely';
import Database from 'libsql';
import { JobStore } from './job-store.js';
import { migrateToLatest } from './migrations/migrate-to-latest.js';
import type { Schema } from './schema.js';

/** How long a statement waits for another process's lock before it fails, in milliseconds. */
const BUSY_TIMEOUT_MS = 10_000;

/**
 * Opens (and makes, where it is missing) the embedded job record: one SQLite file in write-ahead
 * mode, synced to disk at every commit, so that what was answered survives a power cut.
 *
 * @param path the database file, or `:memory:`
 * @throws an error of the database when the file can't be opened or is not a database
 */
export async function openSqliteStore(path: string): Promise<JobStore> {
  const database = new Database(path, { timeout: BUSY_TIMEOUT_MS });
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  const db = new Kysely<Schema>({ dialect: new SqliteDialect({ database }) });
  await migrateToLatest(db);
  return new JobStore(db);
}
