import { rm } from 'node:fs/promises';
import type { JobRecord, JobStatus } from '../store/job-record.js';
import { Admission } from './admission/admission.js';
import type { PlacedJob } from './admission/choose-jobs.js';
import { atDeadline } from './deadline.js';
import { Interruption, type InterruptionCause, interruptionOf } from './interruption.js';
import { type JobContext, jobFolder } from './job-context.js';
import { failureReason } from './job-failure.js';
import { lastProgress } from './last-progress.js';
import { QueueExpiry } from './queue-expiry.js';
import { recoverJobs } from './recover-jobs.js';
import { runJob } from './run-job.js';
import type { ShutdownMode } from './shutdown-mode.js';
import { endByLimit, runLimit } from './time-limits.js';

interface RunningJob {
  readonly interrupt: AbortController;
  done: Promise<void>;
}

interface JobEnd {
  readonly status: 'COMPLETED' | 'FAILED' | 'STOPPED';
  readonly failureReason?: string;
}

const SHUTDOWN_CAUSES = {
  leave: 'service-shutdown',
  finish: undefined,
  stop: 'service-stop',
} as const satisfies Record<ShutdownMode, InterruptionCause | undefined>;

/** Runs jobs, as many at once as the machine has cores and memory for; `Admission` says which. */
export class JobQueue {
  private readonly running = new Map<string, RunningJob>();
  private accepting = false;
  private pumping: Promise<void> | undefined;
  private pumpAgain = false;
  private readonly expiry: QueueExpiry;
  private readonly admission: Admission;

  /** @param maxJobs the most jobs that run at once, however much room there is */
  constructor(
    private readonly context: JobContext,
    maxJobs: number,
  ) {
    this.expiry = new QueueExpiry(context);
    this.admission = new Admission(context, maxJobs);
  }

  /** Takes up what an earlier process left, and begins to run jobs. */
  async start(): Promise<void> {
    // They ran beside each other before, so they fit; what still runs of them is followed again at once.
    for (const job of await recoverJobs(this.context)) await this.launch(job, 'INPROGRESS');
    await this.expiry.notify();
    this.accepting = true;
    this.notify();
  }

  /** Says that there may be something to run, or to wait for. */
  notify(): void {
    if (!this.accepting) return;
    void this.expiry.notify();
    if (this.pumping !== undefined) {
      this.pumpAgain = true;
      return;
    }
    this.pumping = this.pump()
      .catch((error: unknown) => this.context.logger.error({ err: error }, 'the queue stumbled'))
      .finally(() => {
        this.pumping = undefined;
        if (this.pumpAgain) {
          this.pumpAgain = false;
          this.notify();
        }
      });
  }

  /**
   * Asks a job to end: a queued one ends at once, a running one has its time to save what it has.
   * @returns false when the job is neither queued nor running
   */
  async stop(name: string): Promise<boolean> {
    const { store } = this.context;
    const at = Date.now();
    if (await store.transition(name, ['STARTING'], 'STOPPING', { at })) {
      await store.transition(name, ['STOPPING'], 'STOPPED', { at: Date.now(), ended: true });
      return true;
    }
    if (await store.transition(name, ['INPROGRESS', 'STOPPING'], 'STOPPING', { at })) {
      this.running.get(name)?.interrupt.abort(new Interruption('stop-requested'));
      return true;
    }
    return false;
  }

  /** Names of the jobs that run in this process's care. */
  get runningJobs(): Iterable<string> {
    return this.running.keys();
  }

  /** Whether jobs are still started. */
  get isOpen(): boolean {
    return this.accepting;
  }

  /**
   * Starts no more jobs, and is fulfilled when nothing of the queue goes on in this process. While it
   * waits for jobs to finish it may be called again, to leave them after all.
   */
  async close(mode: ShutdownMode = 'leave'): Promise<void> {
    this.accepting = false;
    await this.expiry.close();
    await this.pumping;
    const cause = SHUTDOWN_CAUSES[mode];
    for (const { interrupt } of this.running.values()) {
      if (cause !== undefined) interrupt.abort(new Interruption(cause));
    }
    await Promise.all([...this.running.values()].map(({ done }) => done));
  }

  private async pump(): Promise<void> {
    while (this.accepting) {
      const next = await this.admission.next();
      if (next.length === 0) return;
      for (const { job, place } of next) {
        if (this.accepting) await this.launch(job, 'STARTING', place);
      }
    }
  }

  private async launch(job: JobRecord, from: JobStatus, place?: PlacedJob): Promise<void> {
    const at = Date.now();
    const startedAt = job.startedAt ?? at;
    // Registered before its state says that it runs, so that a stop always finds it.
    const entry: RunningJob = { interrupt: new AbortController(), done: Promise.resolve() };
    this.running.set(job.name, entry);
    this.admission.place(job, place);
    const details = job.startedAt === undefined ? { at, started: true } : { at };
    if (!(await this.context.store.transition(job.name, [from], 'INPROGRESS', details))) {
      this.gone(job.name);
      return;
    }
    const limit = runLimit(job, startedAt);
    const cancelDeadline = atDeadline(limit.at, () =>
      entry.interrupt.abort(new Interruption(limit)),
    );
    entry.done = this.runToEnd(job, entry.interrupt.signal)
      .catch((error: unknown) =>
        this.context.logger.error(
          { err: error, job: job.name },
          'the end of a job was not recorded',
        ),
      )
      .finally(() => {
        cancelDeadline();
        this.gone(job.name);
        this.notify();
      });
  }

  private gone(name: string): void {
    this.running.delete(name);
    this.admission.release(name);
  }

  private async runToEnd(job: JobRecord, signal: AbortSignal): Promise<void> {
    const { store, logger, metrics } = this.context;
    logger.info({ job: job.name }, 'job started');
    const startedAt = job.startedAt ?? Date.now();
    if (job.startedAt === undefined) metrics.jobStarted((startedAt - job.createdAt) / 1000);
    const end = await runJob(this.context, job, signal).then(
      (): JobEnd => ({ status: 'COMPLETED' }),
      (error: unknown) => this.endOf(job, error, signal),
    );
    if (end === undefined) return;
    const progress = await lastProgress(this.context, job.name);
    await rm(jobFolder(this.context, job.name), { recursive: true, force: true });
    const at = Date.now();
    metrics.jobEnded(end.status, (at - startedAt) / 1000);
    await store.transition(job.name, ['INPROGRESS', 'STOPPING'], end.status, {
      at,
      ended: true,
      failureReason: end.failureReason,
      progress,
    });
    logger.info({ job: job.name, ...end }, 'job ended');
  }

  /** What a job that did not complete becomes; undefined when the next start of the service decides. */
  private async endOf(
    job: JobRecord,
    error: unknown,
    signal: AbortSignal,
  ): Promise<JobEnd | undefined> {
    const why = interruptionOf(signal)?.why;
    if (why === 'service-shutdown') return undefined;
    if (why === 'service-stop') {
      await this.forgetStep(job.name);
      return undefined;
    }
    if (why === 'stop-requested') return { status: 'STOPPED' };
    if (why !== undefined) {
      return endByLimit((await this.context.store.get(job.name)) ?? job, why);
    }
    this.context.logger.warn({ err: error, job: job.name }, 'job failed');
    return { status: 'FAILED', failureReason: failureReason(error) };
  }

  /** The step was ended on purpose: the next start begins it again, and does not ask how it ended. */
  private async forgetStep(name: string): Promise<void> {
    const execution = (await this.context.store.get(name))?.execution;
    if (execution === undefined) return;
    const { handle: _, ...rest } = execution;
    await this.context.store.setExecution(name, rest);
  }
}
