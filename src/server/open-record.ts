import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { hostIdentity } from '../executors/local-process/host-identity.js';
import { NodeLeases } from '../jobs/leases/node-leases.js';
import type { JobStore } from '../store/job-store.js';
import { databaseName, openPostgresStore } from '../store/open-postgres-store.js';
import { openSqliteStore } from '../store/open-sqlite-store.js';
import type { Logger } from '../telemetry/logger.js';
import type { ServiceConfiguration } from './configuration.js';
import { lockDataFolder } from './data-folder-lock.js';
import { checkSharedDataFolder } from './shared-data-folder.js';

/** How long a node may be silent before others take its jobs over, unless configured. */
const DEFAULT_LEASE_SECONDS = 15;

/** The record of jobs, and this process's part in it. */
export interface OpenRecord {
  readonly store: JobStore;
  readonly leases: NodeLeases;
  /** Whether other nodes may work on the record and the data folder. */
  readonly shared: boolean;
  close(): Promise<void>;
}

/**
 * Opens the record of jobs: a PostgreSQL database that several nodes share, or else a file in the data
 * folder, which this process then has to itself.
 *
 * @throws DataFolderInUseError, DataFolderNotSharedError, or an error of the database
 */
export async function openRecord(
  configuration: ServiceConfiguration,
  logger: Logger,
): Promise<OpenRecord> {
  const { dataDir, database } = configuration;
  const node = `${hostname()} ${process.pid} ${randomUUID()}`;
  const host = await hostIdentity();
  if (database === undefined) {
    const unlock = await lockDataFolder(dataDir);
    const store = await openSqliteStore(join(dataDir, 'jobs.db'));
    return {
      store,
      leases: new NodeLeases({ node, durationMs: undefined }, host, { store, logger }),
      shared: false,
      async close() {
        await store.close();
        await unlock();
      },
    };
  }
  const seconds = configuration.file.nodes?.leaseSeconds ?? DEFAULT_LEASE_SECONDS;
  const store = await openPostgresStore(database, (error) =>
    logger.warn({ err: error }, 'a connection to the database broke'),
  );
  try {
    await checkSharedDataFolder(store, dataDir);
  } catch (error) {
    await store.close();
    throw error;
  }
  logger.info({ database: databaseName(database), node }, 'one node of a shared record');
  return {
    store,
    leases: new NodeLeases({ node, durationMs: seconds * 1000 }, host, { store, logger }),
    shared: true,
    close: () => store.close(),
  };
}
