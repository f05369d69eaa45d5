import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode, writeFileDurably } from '../objects/durable-files.js';
import type { JobStore } from '../store/job-store.js';

/** The nodes of a database do not share their data folder. */
export class DataFolderNotSharedError extends Error {
  override readonly name = 'DataFolderNotSharedError';
}

/**
 * Makes sure that the data folder is the one that all nodes of a database share: the first node names it,
 * in a file in the folder and in the database, and every other has to find the same name.
 *
 * @throws DataFolderNotSharedError
 */
export async function checkSharedDataFolder(store: JobStore, dataDir: string): Promise<void> {
  const file = join(dataDir, 'installation-id');
  const made = await writeFileDurably(file, randomUUID(), { exclusive: true }).then(
    () => true,
    (error: unknown) => {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
      return false;
    },
  );
  const id = (await readFile(file, 'utf8')).trim();
  if ((await store.leases.sharedFolder(id)) === id) return;
  if (made) await rm(file, { force: true });
  throw new DataFolderNotSharedError(
    `The data folder ${dataDir} is not the one that the other nodes of this database use. Nodes share one data folder, on a file system that all of them mount: choose it with --data-dir.`,
  );
}
