import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  identifyProcess,
  isSameProcess,
  type ProcessIdentity,
} from '../executors/local-process/process-identity.js';

/** Another service works on the data folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

/**
 * Makes this process the only service on a data folder, since two would run every job twice. The
 * lock of a process that is gone is taken over.
 *
 * @returns a function that gives the lock back
 * @throws DataFolderInUseError
 */
export async function lockDataFolder(dataDir: string): Promise<() => Promise<void>> {
  const path = join(dataDir, 'service.lock');
  const mine = `${path}.${process.pid}`;
  await writeFile(mine, JSON.stringify(await identifyProcess(process.pid)));
  try {
    for (;;) {
      try {
        // A link is made whole or not at all, and never replaces what is there.
        await link(mine, path);
        return () => rm(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = await readHolder(path);
      if (holder !== undefined && (await isSameProcess(holder))) {
        throw new DataFolderInUseError(
          `Another Burnish service (process ${holder.pid}) uses the data folder ${dataDir}. Stop it, or choose another folder with --data-dir.`,
        );
      }
      await rm(path, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

async function readHolder(path: string): Promise<ProcessIdentity | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}
