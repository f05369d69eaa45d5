import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobLogs } from '../job-log.js';
import type { Logger } from '../logger.js';
import { logSize, readLogForward } from '../read-log.js';
import { logBatches } from './log-batches.js';
import type { LogSink } from './log-sink.js';

/** Between looks at what running jobs have written. */
const POLL_MS = 1000;

/** Between attempts while the endpoint says no: it doubles from the first to the second. */
const FIRST_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 60_000;

/** Lines read at a time. */
const PAGE = 10_000;

const LOG_ENDING = '.log';

/** How far a log was put, in a file beside it. */
const POSITION_ENDING = '.put';

/**
 * Puts the logs of jobs to CloudWatch while they are written. How far each one was put is kept beside
 * it, so that nothing is left out when the service or the endpoint was away; what was put just before a
 * crash may be put twice. The files stay what they are, a spool within its limits.
 */
export class LogPutter {
  private readonly pending = new Set<string>();
  private readonly stopping = new AbortController();
  private looking: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private backoffMs = 0;

  /** @param runningJobs names of the jobs of this process whose steps may be writing now */
  constructor(
    private readonly logs: JobLogs,
    private readonly sink: LogSink,
    private readonly runningJobs: () => Iterable<string>,
    private readonly logger: Logger,
  ) {}

  /**
   * Begins with what an earlier process of the service did not get to put.
   * @param elsewhere jobs that another process looks after
   */
  async start(elsewhere: ReadonlySet<string> = new Set()): Promise<void> {
    // A job may begin and end between two looks; its beginning is always a line of the service's.
    this.logs.listen((job) => this.pending.add(job));
    for (const job of await namesIn(this.logs.root)) if (!elsewhere.has(job)) this.pending.add(job);
    this.schedule();
  }

  /** Puts what was written until now, if the endpoint takes it, and no more. */
  async close(): Promise<void> {
    clearTimeout(this.timer);
    await this.looking;
    if (this.backoffMs === 0) await this.look();
    this.stopping.abort();
    this.sink.close();
  }

  /** Puts whatever is new in the logs of jobs that run, or ran when it last looked. */
  look(): Promise<void> {
    this.looking = this.looking.then(async () => {
      try {
        const running = new Set(this.runningJobs());
        for (const job of running) this.pending.add(job);
        for (const job of [...this.pending]) {
          // Taken off first: a line that comes while it is put brings it back.
          if (!running.has(job)) this.pending.delete(job);
          await this.putJob(job).catch((error: unknown) => {
            this.pending.add(job);
            throw error;
          });
        }
        this.backoffMs = 0;
      } catch (error) {
        if (this.stopping.signal.aborted) return;
        this.backoffMs = Math.min(Math.max(FIRST_BACKOFF_MS, 2 * this.backoffMs), MAX_BACKOFF_MS);
        this.logger.warn({ err: error, retryMs: this.backoffMs }, 'logs could not be put');
      }
    });
    return this.looking;
  }

  private schedule(): void {
    this.timer = setTimeout(
      () => {
        void this.look().finally(() => {
          if (!this.stopping.signal.aborted) this.schedule();
        });
      },
      Math.max(POLL_MS, this.backoffMs),
    ).unref();
  }

  private async putJob(job: string): Promise<void> {
    for (const name of await namesIn(this.logs.folderOf(job))) {
      if (!name.endsWith(LOG_ENDING)) continue;
      const file = join(this.logs.folderOf(job), name);
      await this.putFile(file, `${job}/${name.slice(0, -LOG_ENDING.length)}`);
    }
  }

  private async putFile(file: string, stream: string): Promise<void> {
    for (let offset = await readPosition(file); offset < ((await logSize(file)) ?? 0); ) {
      const page = await readLogForward(file, offset, PAGE);
      if (page.lines.length === 0) return;
      for (const batch of logBatches(page.lines)) {
        const refused = await this.sink.put(stream, batch, this.stopping.signal);
        if (refused > 0)
          this.logger.warn({ stream, refused }, 'CloudWatch refused events of a log');
      }
      offset = page.end;
      await writePosition(file, offset);
    }
  }
}

async function readPosition(file: string): Promise<number> {
  const text = await readFile(`${file}${POSITION_ENDING}`, 'utf8').catch(() => '');
  return /^\d{1,15}$/.test(text) ? Number(text) : 0;
}

async function writePosition(file: string, offset: number): Promise<void> {
  const path = `${file}${POSITION_ENDING}`;
  await writeFile(`${path}.partial`, String(offset));
  await rename(`${path}.partial`, path);
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
}
