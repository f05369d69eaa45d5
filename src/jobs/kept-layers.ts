import { mkdir, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

/** How much of the work of ended jobs is kept for others to go on from. */
export interface KeptLayersLimits {
  /** How long, in milliseconds. */
  readonly maxAgeMs: number;
  /** Bytes of all jobs together; beyond them what was kept first goes first. */
  readonly maxBytes: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

const DEFAULT_KEPT_LIMITS: KeptLayersLimits = { maxAgeMs: 14 * DAY_MS, maxBytes: 200e9 };

/** The limits that are configured, or else the usual ones. */
export function keptLimitsOf(
  given: {
    readonly maxDays?: number | undefined;
    readonly maxTotalBytes?: number | undefined;
  } = {},
): KeptLayersLimits {
  return {
    maxAgeMs: given.maxDays === undefined ? DEFAULT_KEPT_LIMITS.maxAgeMs : given.maxDays * DAY_MS,
    maxBytes: given.maxTotalBytes ?? DEFAULT_KEPT_LIMITS.maxBytes,
  };
}

/** In the folder of a step: what the job's own attempts left, and what another job left for it. */
const OWN = 'own';
const OFFERED = 'offered';
/** Lists what is finished, behind a first line that says of what. */
const JOURNAL = 'finished.jsonl';

/**
 * The finished layers of jobs that ended before they were done: a folder for each job, in it one for
 * each step. They belong to one job at a time and are handed on by renaming, so they lie on the file
 * system of the jobs' temporary space.
 */
export class KeptLayers {
  constructor(
    private readonly folder: string,
    private readonly limits: KeptLayersLimits = DEFAULT_KEPT_LIMITS,
  ) {}

  /** Whether there is anything to go on from. */
  async has(job: string): Promise<boolean> {
    return isThere(join(this.folder, job));
  }

  /**
   * Gives a job what it may go on from: what it put away itself before the service was killed, or
   * else what another job left.
   *
   * @param target the job's folder for its steps' finished layers; one that is there is left alone
   * @param from the other job
   * @returns false when there is nothing of the other job
   */
  async claim(job: string, target: string, from: string | undefined): Promise<boolean> {
    if (await isThere(target)) return true;
    if (await moveIfThere(join(this.folder, job), target)) return true;
    if (from === undefined) return true;
    const claimed = `${target}.${OFFERED}`;
    if (!(await isThere(claimed)) && !(await moveIfThere(join(this.folder, from), claimed))) {
      return false;
    }
    for (const step of await readdir(claimed)) {
      await moveIfThere(join(claimed, step, OWN), join(claimed, step, OFFERED));
    }
    await rename(claimed, target);
    return true;
  }

  /**
   * Takes the finished layers of a job that has ended into keeping. What it was given and made nothing
   * of goes back to where it came from.
   *
   * @param source the job's folder for its steps' finished layers
   * @param from the job that they were claimed from
   * @param keepsOwn false for a job whose work must not lie about in clear: it is removed
   */
  async putAway(
    job: string,
    source: string,
    from: string | undefined,
    keepsOwn = true,
  ): Promise<void> {
    if (!(await isThere(source))) {
      if (from !== undefined) await this.giveBack(`${source}.${OFFERED}`, from);
      return;
    }
    const steps = await readdir(source);
    let ours = false;
    for (const step of steps) ours ||= keepsOwn && (await hasFinished(join(source, step, OWN)));
    for (const step of steps) {
      const [own, offered] = [join(source, step, OWN), join(source, step, OFFERED)];
      if (!ours || !(await hasFinished(own))) await rm(own, { recursive: true, force: true });
      if (!(await isThere(own))) await moveIfThere(offered, own);
      await rm(offered, { recursive: true, force: true });
    }
    if (ours) await this.giveBack(source, job);
    else if (from !== undefined) await this.giveBack(source, from);
  }

  /** Forgets what is kept of a job. */
  async remove(job: string): Promise<void> {
    await rm(join(this.folder, job), { recursive: true, force: true });
  }

  /** Removes what is kept for too long, and what is too much. */
  async sweep(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const kept: { readonly job: string; readonly since: number; readonly bytes: number }[] = [];
    for (const job of await readdir(this.folder)) {
      const found = await stat(join(this.folder, job)).catch(() => undefined);
      if (found === undefined) continue;
      kept.push({ job, since: found.mtimeMs, bytes: await bytesUnder(join(this.folder, job)) });
    }
    const oldest = Date.now() - this.limits.maxAgeMs;
    let bytes = kept.reduce((sum, one) => sum + one.bytes, 0);
    for (const one of kept.sort((a, b) => a.since - b.since)) {
      if (one.since >= oldest && bytes <= this.limits.maxBytes) continue;
      await this.remove(one.job);
      bytes -= one.bytes;
    }
  }

  private async giveBack(source: string, job: string): Promise<void> {
    if (!(await isThere(source))) return;
    await mkdir(this.folder, { recursive: true });
    await this.remove(job);
    const now = new Date();
    await utimes(source, now, now);
    await rename(source, join(this.folder, job));
    await this.sweep();
  }
}

/** Whether a list of finished work has a line behind its first. */
async function hasFinished(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, JOURNAL), 'utf8').catch(() => '');
  return text.indexOf('\n', text.indexOf('\n') + 1) > 0;
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

async function moveIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Space that the files of a folder take, holes left out. */
async function bytesUnder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  let bytes = 0;
  for (const entry of entries) {
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += (found?.blocks ?? 0) * 512;
  }
  return bytes;
}
