import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import type { Resources } from './resources.js';

/** What the configuration says of the machine; what it leaves out is measured. */
export interface CapacitySettings {
  readonly cores?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly largestNodeBytes?: number | undefined;
}

/** Cores and memory that all jobs together may take. */
export interface ProcessingCapacity extends Pick<Resources, 'cores' | 'memoryBytes'> {
  /** Memory of the largest of several nodes; a job that fits there alone waits for it. */
  readonly largestNodeBytes?: number | undefined;
}

/** Left to the service itself and to the system. A service with 1,000 jobs behind it takes some 200 MB. */
const RESERVED_BYTES = 384 * 1024 * 1024;

/**
 * What this machine has for jobs: the cores that the process may run on and its memory, within the
 * limits of its control groups, less what the service itself takes.
 */
export async function processingCapacity(
  settings: CapacitySettings = {},
): Promise<ProcessingCapacity> {
  const quota = (await cpuQuota()) ?? Number.POSITIVE_INFINITY;
  const cores = settings.cores ?? Math.max(1, Math.floor(Math.min(availableParallelism(), quota)));
  const { memoryBytes = machineMemory(), largestNodeBytes } = settings;
  return { cores, memoryBytes, ...(largestNodeBytes === undefined ? {} : { largestNodeBytes }) };
}

function machineMemory(): number {
  const limit = process.constrainedMemory();
  // Where there is no limit Node says 0, or a number beyond all memory.
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.max(bytes - RESERVED_BYTES, Math.floor(bytes / 2));
}

/** Space of a folder's file system, in bytes. */
export async function diskSpace(
  folder: string,
): Promise<{ readonly free: number; readonly whole: number }> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { free: bavail * bsize, whole: blocks * bsize };
}

/**
 * How many cores the control groups of this process let it use, a fraction maybe: the least of its own
 * group and all around it. Version 2 has one tree and `cpu.max`, version 1 a tree for each controller.
 *
 * @param root where `/proc` and `/sys/fs/cgroup` are looked for
 * @returns undefined where there is no limit
 */
export async function cpuQuota(root = '/'): Promise<number | undefined> {
  const groups = await readText(join(root, 'proc/self/cgroup'));
  let least: number | undefined;
  for (const line of groups.split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (controllers === undefined || path === undefined) continue;
    const tree = treeOf(controllers);
    if (tree === undefined) continue;
    for (let group = path; ; group = dirname(group)) {
      const quota = await readQuota(join(root, 'sys/fs/cgroup', tree, group), tree === '');
      if (quota !== undefined) least = Math.min(least ?? quota, quota);
      if (group === '/') break;
    }
  }
  return least;
}

/** The folder of the tree that a line of /proc/self/cgroup speaks of, if that tree limits processors. */
function treeOf(controllers: string): string | undefined {
  if (controllers === '') return '';
  return controllers.split(',').includes('cpu') ? controllers : undefined;
}

async function readQuota(group: string, unified: boolean): Promise<number | undefined> {
  const [quota, period] = unified
    ? (await readText(join(group, 'cpu.max'))).split(' ').map(Number)
    : [
        Number((await readText(join(group, 'cpu.cfs_quota_us'))) || Number.NaN),
        Number(await readText(join(group, 'cpu.cfs_period_us'))),
      ];
  return quota !== undefined && period !== undefined && quota > 0 && period > 0
    ? quota / period
    : undefined;
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );
}
