import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSqliteStore } from '#burnish/store/open-sqlite-store.js';

/**
 * What a service that is down, and whose jobs have all ended, has left behind in and around its data
 * folder: processes of steps, temporary files, uploads, leases. Each is named.
 */
export async function findStrays(dataDir: string): Promise<readonly string[]> {
  const found = await Promise.all([
    processesOf(dataDir),
    filesIn(join(dataDir, 'work')),
    filesIn(join(dataDir, 'object-uploads')),
    partialLogs(join(dataDir, 'logs')),
    leasesIn(join(dataDir, 'jobs.db')),
  ]);
  return found.flat();
}

/** Processes of steps, wherever they have gone: their environment names the folder. */
async function processesOf(dataDir: string): Promise<string[]> {
  const strays: string[] = [];
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
    if (environment.split('\0').some((it) => it.startsWith(`BURNISH_STEP_FILE=${dataDir}`))) {
      strays.push(`process ${pid}`);
    }
  }
  return strays;
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function partialLogs(folder: string): Promise<string[]> {
  return (await filesIn(folder)).filter((path) => !/\.log(\.\d+|\.put)?$/.test(path));
}

async function leasesIn(database: string): Promise<string[]> {
  const store = await openSqliteStore(database);
  try {
    const strays: string[] = [];
    const query = { filter: {}, sortBy: 'Name', descending: false, limit: 100_000 } as const;
    for (const job of await store.list(query)) {
      const ended = ['COMPLETED', 'FAILED', 'STOPPED'].includes(job.status);
      if (!ended) strays.push(`${job.name} is ${job.status}`);
      if (job.lease !== undefined) strays.push(`${job.name} has a lease`);
      if (job.execution !== undefined) strays.push(`${job.name} has an execution`);
    }
    return strays;
  } finally {
    await store.close();
  }
}
