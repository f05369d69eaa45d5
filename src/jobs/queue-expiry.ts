import { atDeadline } from './deadline.js';
import type { JobContext } from './job-context.js';
import { endByLimit, queueLimit, runLimit } from './time-limits.js';

/** How many jobs are ended in one go before the next look. */
const BATCH = 100;

/** Ends jobs that have waited for longer than they may, with one timer for the next of them. */
export class QueueExpiry {
  private cancelTimer: (() => void) | undefined;
  private closed = false;
  private looking: Promise<void> = Promise.resolve();

  constructor(private readonly context: JobContext) {}

  /** Looks at the queue anew: something may have joined it. */
  notify(): Promise<void> {
    this.looking = this.looking
      .then(() => this.look())
      .catch((error: unknown) =>
        this.context.logger.error({ err: error }, 'waiting jobs were not looked at'),
      );
    return this.looking;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelTimer?.();
    await this.looking;
  }

  private async look(): Promise<void> {
    if (this.closed) return;
    this.cancelTimer?.();
    const { store, logger } = this.context;
    for (const job of await store.queuedPast(Date.now(), BATCH)) {
      // A job that waits again, since its node was lost, has the time that it may run.
      const { startedAt } = job;
      const limit = startedAt === undefined ? queueLimit(job) : runLimit(job, startedAt);
      if (limit === undefined) continue;
      const { status, failureReason } = endByLimit(job, limit);
      const at = Date.now();
      await store.transition(job.name, ['STARTING'], status, { at, ended: true, failureReason });
      logger.info({ job: job.name, status, failureReason }, 'job ended');
    }
    const next = await store.earliestQueueDeadline();
    if (next !== undefined) this.cancelTimer = atDeadline(next, () => void this.notify());
  }
}
