import { type Kysely, type Migration, type MigrationProvider, Migrator } from 'kysely';
import { jobsMigration } from './0001-jobs.js';
import { schedulingMigration } from './0002-scheduling.js';
import { identityMigration } from './0003-identity.js';
import { leasesMigration } from './0004-leases.js';
import { kmsKeysMigration } from './0005-kms-keys.js';
import { requestIdsMigration } from './0006-request-ids.js';

/** In order; a migration that has shipped is never edited, only followed by another. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-jobs': jobsMigration,
  '0002-scheduling': schedulingMigration,
  '0003-identity': identityMigration,
  '0004-leases': leasesMigration,
  '0005-kms-keys': kmsKeysMigration,
  '0006-request-ids': requestIdsMigration,
};

const provider: MigrationProvider = { getMigrations: async () => ({ ...MIGRATIONS }) };

/**
 * Brings the database to the newest schema.
 *
 * @throws the database's error when a migration fails, or Kysely's when the database was written
 * by a newer version than this one.
 */
export async function migrateToLatest<Schema>(db: Kysely<Schema>): Promise<void> {
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw error;
}
