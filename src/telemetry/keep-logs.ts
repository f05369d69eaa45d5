import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobLogs } from './job-log.js';
import type { Logger } from './logger.js';
import { partBytes, rotateLog } from './rotate-log.js';

/** How much of jobs' logs is kept. */
export interface LogLimits {
  /** Bytes of the log of one step: its beginning and its end. */
  readonly maxStepBytes: number;
  /** Bytes of the logs of all jobs; beyond them those of jobs that ended longest ago go. */
  readonly maxTotalBytes: number;
  /** Days after which the logs of an ended job go. */
  readonly maxDays: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = {
  maxStepBytes: 64 * 1024 * 1024,
  maxTotalBytes: 10 * 1024 ** 3,
  maxDays: 90,
};

/** What the configuration says, and the defaults for the rest. */
export function logLimitsOf(
  given: { readonly [Name in keyof LogLimits]?: number | undefined } = {},
): LogLimits {
  const fallback = DEFAULT_LOG_LIMITS;
  return {
    maxStepBytes: given.maxStepBytes ?? fallback.maxStepBytes,
    maxTotalBytes: given.maxTotalBytes ?? fallback.maxTotalBytes,
    maxDays: given.maxDays ?? fallback.maxDays,
  };
}

/** Between looks at the logs of running jobs: a step would have to write a gigabyte in it to matter. */
const WATCH_MS = 1000;

/** Between looks at all logs. */
const SWEEP_MS = 10 * 60 * 1000;

const DAY_MS = 24 * 3600 * 1000;

/** Keeps the logs of jobs within their limits while the service runs. */
export class LogKeeper {
  private readonly timers: NodeJS.Timeout[] = [];
  private working: Promise<void> = Promise.resolve();

  /**
   * @param runningJobs names of the jobs of this process whose steps may be writing now
   * @param runningAnywhere the same for all processes that share the logs
   */
  constructor(
    private readonly logs: JobLogs,
    private readonly limits: LogLimits,
    private readonly runningJobs: () => Iterable<string>,
    private readonly runningAnywhere: () => Promise<ReadonlySet<string>>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    void this.sweep();
    this.timers.push(setInterval(() => void this.watch(), WATCH_MS).unref());
    this.timers.push(setInterval(() => void this.sweep(), SWEEP_MS).unref());
  }

  async close(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.working;
  }

  /** Rotates the logs of running jobs. */
  watch(): Promise<void> {
    return this.inTurn(async () => {
      for (const job of this.runningJobs()) await this.rotate(job);
    });
  }

  /** Looks at all logs: those of jobs that ended while nobody watched too, and at what is old. */
  sweep(): Promise<void> {
    return this.inTurn(async () => {
      const running = await this.runningAnywhere();
      const ended: JobLogSize[] = [];
      let total = 0;
      for (const job of await readdir(this.logs.root).catch(() => [] as string[])) {
        if (!running.has(job)) await this.rotate(job);
        const size = await this.measure(job);
        total += size.bytes;
        if (!running.has(job)) ended.push(size);
      }
      const oldest = Date.now() - this.limits.maxDays * DAY_MS;
      ended.sort((a, b) => a.modified - b.modified);
      for (const { job, bytes, modified } of ended) {
        if (modified >= oldest && total <= this.limits.maxTotalBytes) break;
        await this.logs.remove(job);
        total -= bytes;
        this.logger.info({ job, bytes }, 'the logs of an ended job were removed');
      }
    });
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    this.working = this.working
      .then(work)
      .catch((error: unknown) => this.logger.error({ err: error }, 'logs were not looked after'));
    return this.working;
  }

  private async rotate(job: string): Promise<void> {
    const folder = this.logs.folderOf(job);
    const size = { maxBytes: this.limits.maxStepBytes };
    for (const name of await readdir(folder).catch(() => [] as string[])) {
      if (!name.endsWith('.log')) continue;
      const path = join(folder, name);
      const written = await stat(path).catch(() => undefined);
      if (written !== undefined && written.size >= partBytes(size)) await rotateLog(path, size);
    }
  }

  private async measure(job: string): Promise<JobLogSize> {
    const folder = this.logs.folderOf(job);
    let bytes = 0;
    let modified = 0;
    for (const name of await readdir(folder).catch(() => [] as string[])) {
      const file = await stat(join(folder, name)).catch(() => undefined);
      bytes += file?.size ?? 0;
      modified = Math.max(modified, file?.mtimeMs ?? 0);
    }
    if (modified === 0) await rm(folder, { recursive: true, force: true });
    return { job, bytes, modified };
  }
}

interface JobLogSize {
  readonly job: string;
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly modified: number;
}
