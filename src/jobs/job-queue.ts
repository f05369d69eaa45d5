import { LeaseLostError } from '../store/job-leases.js';
import type { JobRecord } from '../store/job-record.js';
import { onBehalfOf, onNobodysBehalf } from '../telemetry/request-scope.js';
import { Admission } from './admission/admission.js';
import type { PlacedJob } from './admission/choose-jobs.js';
import type { Resources } from './admission/resources.js';
import { atDeadline } from './deadline.js';
import { discardJob } from './discard-job.js';
import { Interruption, type InterruptionCause, interruptionOf, isLeft } from './interruption.js';
import type { JobContext } from './job-context.js';
import { failureReason } from './job-failure.js';
import { lastProgress } from './last-progress.js';
import { QueueExpiry } from './queue-expiry.js';
import { reclaimWorkFolders, recoverJobs } from './recover-jobs.js';
import { outputOf, runJob } from './run-job.js';
import { saveUnfinished } from './save-unfinished.js';
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
  private readonly context: JobContext;

  /** @param maxJobs the most jobs that run at once, however much room there is */
  constructor(context: JobContext, maxJobs: number) {
    this.expiry = new QueueExpiry(context);
    this.admission = new Admission(context, maxJobs);
    const onMemory = (name: string, bytes: number) => this.admission.measured(name, bytes);
    this.context = { ...context, onMemory };
  }

  /** Takes up what an earlier process left, and begins to run jobs. */
  async start(): Promise<void> {
    await this.takeOver();
    await reclaimWorkFolders(this.context);
    await this.expiry.notify();
    this.accepting = true;
    this.notify();
    this.context.leases.start({
      onStopping: (name) => this.interrupt(name, new Interruption('stop-requested')),
      onLost: (name) => this.lose(name),
      onRound: async () => {
        if (!this.accepting) return;
        await this.takeOver();
        this.notify();
      },
    });
  }

  /** Says that there may be something to run, or to wait for. */
  notify(): void {
    if (!this.accepting) return;
    onNobodysBehalf(() => this.look());
  }

  private look(): void {
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
      this.interrupt(name, new Interruption('stop-requested'));
      return true;
    }
    return false;
  }

  /** Names of the jobs that run in this process's care. */
  get runningJobs(): Iterable<string> {
    return this.running.keys();
  }

  /** What running jobs have of the machine. */
  get given(): Resources {
    return this.admission.given;
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
    // Jobs that are to finish keep their leases until they have.
    if (cause === undefined) await this.ended();
    await this.context.leases.close();
    for (const name of this.running.keys()) {
      this.interrupt(name, new Interruption(cause ?? 'service-shutdown'));
    }
    await this.ended();
    await this.context.leases.release();
  }

  private async ended(): Promise<void> {
    await Promise.all([...this.running.values()].map(({ done }) => done));
  }

  private interrupt(name: string, why: Interruption): void {
    this.running.get(name)?.interrupt.abort(why);
  }

  /** Goes on with jobs whose process of the service is gone. */
  private async takeOver(): Promise<void> {
    // They ran beside each other before, so they fit; what still runs of them is followed again at once.
    const jobs = await recoverJobs(this.context, (name) => this.running.has(name));
    for (const job of jobs) await this.launch(job);
  }

  /** Another node has a job that runs here: this one is done with it, and with what the other can't reach. */
  private async lose(name: string): Promise<void> {
    const { store, leases, logger } = this.context;
    // Where the record can't be read either, the step is left alone: what it makes is of no effect.
    const record = await store.get(name).catch(() => undefined);
    const host = record?.execution?.host;
    const reached = host === undefined || host === leases.host;
    logger.warn({ job: name, reached }, 'a job was taken over by another node');
    this.interrupt(name, new Interruption(reached ? 'taken-over' : 'lease-lost'));
    await this.running.get(name)?.done;
  }

  private async pump(): Promise<void> {
    while (this.accepting) {
      const next = await this.admission.next();
      if (next.length === 0) return;
      for (const { job, place } of next) {
        if (this.accepting) await this.launch(job, place);
      }
    }
  }

  /** @param place where a waiting job was found to fit; absent for one that was taken over */
  private async launch(job: JobRecord, place?: PlacedJob): Promise<void> {
    const at = Date.now();
    const startedAt = job.startedAt ?? at;
    // A job that this node has lost may come back to it before it has noticed.
    if (this.running.has(job.name)) await this.lose(job.name);
    // Registered before its state says that it runs, so that a stop always finds it.
    const entry: RunningJob = { interrupt: new AbortController(), done: Promise.resolve() };
    this.running.set(job.name, entry);
    this.admission.place(job, place);
    const lease = await this.begin(job, at, place !== undefined).catch((error: unknown) => {
      this.gone(job.name);
      throw error;
    });
    if (lease === undefined) {
      this.gone(job.name);
      return;
    }
    const limit = runLimit(job, startedAt);
    const cancelDeadline = atDeadline(limit.at, () =>
      entry.interrupt.abort(new Interruption(limit)),
    );
    entry.done = onBehalfOf(job.requestId, () =>
      this.runToEnd({ ...job, lease }, entry.interrupt.signal),
    )
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

  /** Marks a job as running. @returns the lease that it is under, if it is this node's to run */
  private async begin(job: JobRecord, at: number, waiting: boolean): Promise<string | undefined> {
    const { store, leases } = this.context;
    const { name, lease } = job;
    if (waiting) {
      return (await leases.takeWaiting(name, { at, started: job.startedAt === undefined }))?.lease;
    }
    const goesOn = await store.transition(name, ['INPROGRESS'], 'INPROGRESS', { at, lease });
    return goesOn ? lease : undefined;
  }

  private gone(name: string): void {
    this.running.delete(name);
    this.admission.release(name);
    this.context.leases.drop(name);
  }

  private async runToEnd(job: JobRecord, signal: AbortSignal): Promise<void> {
    const { store, leases, logger, metrics } = this.context;
    logger.info({ job: job.name }, 'job started');
    const startedAt = job.startedAt ?? Date.now();
    if (job.startedAt === undefined) metrics.jobStarted((startedAt - job.createdAt) / 1000);
    const end = await runJob(this.context, job, signal).then(
      (): JobEnd => ({ status: 'COMPLETED' }),
      (error: unknown) => this.endOf(job, error, signal),
    );
    if (end === undefined) return;
    // The folder is the present holder's; a job that was lost is none of this node's business.
    if (!(await leases.write(() => store.leases.isHeld(job)))) return;
    if (end.status !== 'COMPLETED') {
      const toldToEnd = interruptionOf(signal) !== undefined;
      await saveUnfinished(this.context, job, outputOf(this.context, job), toldToEnd);
    }
    const progress = await lastProgress(this.context, job);
    await discardJob(this.context, job);
    const at = Date.now();
    const { lease } = job;
    const details = { at, ended: true, lease, failureReason: end.failureReason, progress };
    const ended = await leases.write(() =>
      store.transition(job.name, ['INPROGRESS', 'STOPPING'], end.status, details),
    );
    if (!ended) return;
    metrics.jobEnded(end.status, (at - startedAt) / 1000);
    logger.info({ job: job.name, ...end }, 'job ended');
  }

  /** What a job that did not complete becomes; undefined when the next start of the service decides. */
  private async endOf(
    job: JobRecord,
    error: unknown,
    signal: AbortSignal,
  ): Promise<JobEnd | undefined> {
    const why = interruptionOf(signal)?.why;
    if (isLeft(why) || error instanceof LeaseLostError) return undefined;
    if (why === 'service-stop') {
      await this.forgetStep(job);
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
  private async forgetStep(job: JobRecord): Promise<void> {
    const { store, leases } = this.context;
    const execution = (await store.get(job.name))?.execution;
    if (execution === undefined) return;
    const { handle: _, host: __, ...rest } = execution;
    await leases.write(() => store.setExecution(job, rest));
  }
}
