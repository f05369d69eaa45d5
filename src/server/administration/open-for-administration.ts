import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrCreateMasterKey, type MasterKey } from '../../encryption/master-key.js';
import { seedExecutionRole } from '../../identity/execution-role.js';
import type { JobStore } from '../../store/job-store.js';
import { openPostgresStore } from '../../store/open-postgres-store.js';
import { openSqliteStore } from '../../store/open-sqlite-store.js';
import { DEFAULT_CONFIGURATION } from '../configuration.js';
import { masterKeySources } from '../master-key-sources.js';

/** Where the record is, as far as the command line says; the rest is said as `burnish serve` has it. */
export interface RecordPlace {
  readonly dataDir?: string | undefined;
  /** `postgres://…` */
  readonly database?: string | undefined;
}

export interface AdministeredRecord {
  readonly store: JobStore;
  readonly masterKey: MasterKey;
}

/**
 * Opens the record of a service for one administration command, whether the service runs or not.
 * @throws an error of the database, or MasterKeyError
 */
export async function openForAdministration(place: RecordPlace): Promise<AdministeredRecord> {
  const { BURNISH_DATA_DIR, BURNISH_DATABASE_URL } = process.env;
  const dataDir = place.dataDir ?? BURNISH_DATA_DIR ?? DEFAULT_CONFIGURATION.dataDir;
  const database = place.database ?? (BURNISH_DATABASE_URL || undefined);
  await mkdir(dataDir, { recursive: true });
  const masterKey = await loadOrCreateMasterKey(dataDir, masterKeySources());
  const store =
    database === undefined
      ? await openSqliteStore(join(dataDir, 'jobs.db'))
      : // A connection that breaks fails the statement that is under way.
        await openPostgresStore(database, () => undefined);
  await seedExecutionRole(store.identities);
  return { store, masterKey };
}
