import { randomUUID } from 'node:crypto';
import { link, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hostIdentity } from '../executors/local-process/host-identity.js';
import {
  identifyProcess,
  isSameProcess,
  type ProcessIdentity,
} from '../executors/local-process/process-identity.js';

/** Another service works on the data folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
}

/** How the holder of a lock is known to live where its process can't be seen, in milliseconds. */
export interface LockTiming {
  /** How often the holder touches its lock. */
  readonly beatMs: number;
  /** A lock that was not touched for so long is nobody's. */
  readonly silenceMs: number;
}

const TIMING: LockTiming = { beatMs: 2_000, silenceMs: 15_000 };

interface Holder extends ProcessIdentity {
  /** Among whose processes it is; absent in locks of versions that did not say. */
  readonly host?: string;
}

/**
 * Makes this process the only service on a data folder, since two would run every job twice. The lock of
 * a process that is gone is taken over: at once where its machine and container are this one's,
 * otherwise when its holder has been silent for a while.
 *
 * @returns a function that gives the lock back
 * @throws DataFolderInUseError
 */
export async function lockDataFolder(
  dataDir: string,
  timing: LockTiming = TIMING,
): Promise<() => Promise<void>> {
  const path = join(dataDir, 'service.lock');
  const host = await hostIdentity();
  // Two containers have the same process numbers.
  const mine = `${path}.${process.pid}.${randomUUID()}`;
  const holder: Holder = { ...(await identifyProcess(process.pid)), host };
  await writeFile(mine, JSON.stringify(holder));
  try {
    for (;;) {
      try {
        // A link is made whole or not at all, and never replaces what is there.
        await link(mine, path);
        return keep(path, timing);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const other = await readHolder(path);
      if (other !== undefined && (await isAlive(other, host, path, timing))) {
        throw new DataFolderInUseError(
          `Another Burnish service (process ${other.pid}) uses the data folder ${dataDir}. Stop it, or choose another folder with --data-dir.`,
        );
      }
      await rm(path, { force: true });
    }
  } finally {
    await rm(mine, { force: true });
  }
}

/** Shows that the lock's holder lives, until the lock is given back. */
function keep(path: string, { beatMs }: LockTiming): () => Promise<void> {
  const beat = setInterval(() => {
    const now = new Date();
    // A folder that is gone for a moment is no reason to go down; it will say so where it matters.
    utimes(path, now, now).catch(() => undefined);
  }, beatMs);
  beat.unref();
  return async () => {
    clearInterval(beat);
    await rm(path, { force: true });
  };
}

async function isAlive(
  holder: Holder,
  host: string,
  path: string,
  { beatMs, silenceMs }: LockTiming,
): Promise<boolean> {
  if (holder.host === undefined || holder.host === host) return isSameProcess(holder);
  const touched = await touchedAt(path);
  for (let waited = 0; waited < silenceMs; waited += beatMs) {
    await delay(beatMs);
    const now = await touchedAt(path);
    if (now === undefined) return false;
    if (now !== touched) return true;
  }
  return false;
}

const touchedAt = (path: string): Promise<number | undefined> =>
  stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}
