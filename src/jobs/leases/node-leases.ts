import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { type LeaseHolder, LeaseLostError } from '../../store/job-leases.js';
import type { JobRecord } from '../../store/job-record.js';
import type { JobStore } from '../../store/job-store.js';
import { isDatabaseAway } from '../../store/open-postgres-store.js';
import type { Logger } from '../../telemetry/logger.js';

/** How often a node renews its leases, and looks at what others have left or asked for. */
const ROUND_MS = 1_000;

/** What a node does about what a round brings. */
export interface LeaseRounds {
  /** Somebody asked, maybe at another node, for a job of this one to be stopped. */
  onStopping(name: string): void;
  /** A job is not this node's any more. */
  onLost(name: string): Promise<void>;
  /** There may be jobs to run, or to take over. */
  onRound(): Promise<void>;
}

interface Lease {
  readonly token: string;
  /** Until when nobody else can have taken the job, by this process's own clock. */
  readonly until: number;
}

/**
 * The leases of this process. A process that has the record to itself holds them for good; a node among
 * others renews them every second, and may rely on each for as long as it lasts from its last renewal.
 */
export class NodeLeases {
  private readonly leases = new Map<string, Lease>();
  private readonly closing = new AbortController();
  private rounds: Promise<void> = Promise.resolve();

  /** @param host the machine that this process runs on, as `hostIdentity` names it */
  constructor(
    readonly holder: LeaseHolder,
    readonly host: string,
    private readonly context: { readonly store: JobStore; readonly logger: Logger },
  ) {}

  /** Whether other nodes may work on the same record. */
  get shared(): boolean {
    return this.holder.durationMs !== undefined;
  }

  /**
   * Takes a waiting job, which then runs here.
   * @returns the job under its lease; undefined when it waits no more, or another node was faster
   */
  takeWaiting(
    name: string,
    details: { readonly at: number; readonly started: boolean },
  ): Promise<JobRecord | undefined> {
    return this.take(() => this.context.store.leases.takeWaiting(name, this.holder, details));
  }

  /** Takes a job over whose node is gone. @returns undefined when another node was faster */
  takeLost(name: string): Promise<JobRecord | undefined> {
    return this.take(() => this.context.store.leases.takeLost(name, this.holder));
  }

  /** Gives up a job: its lease is not renewed any more. */
  drop(name: string): void {
    this.leases.delete(name);
  }

  /**
   * Makes sure that a job is still this node's, right before something that can't be taken back and
   * that the record can't guard.
   * @throws LeaseLostError
   */
  confirm({ name, lease }: JobRecord): void {
    const held = this.leases.get(name);
    if (held === undefined || held.token !== lease || performance.now() >= held.until) {
      throw new LeaseLostError(`${name} may have been taken over by another node`);
    }
  }

  /**
   * Writes to the record. A shared database may be away for a while, and the work goes on meanwhile, so
   * what was not written is tried again until it is, or until the job is no longer this node's.
   */
  async write<Result>(action: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    for (;;) {
      try {
        return await action();
      } catch (error) {
        const lost = error instanceof LeaseLostError;
        if (!this.shared || lost || this.closing.signal.aborted || !isDatabaseAway(error))
          throw error;
        this.context.logger.warn({ err: error }, 'the record was not written, and is tried again');
        await delay(ROUND_MS, undefined, signal === undefined ? {} : { signal });
      }
    }
  }

  /** Begins the rounds; a process that is alone needs none. */
  start(rounds: LeaseRounds): void {
    if (this.shared) this.rounds = this.run(rounds);
  }

  /** Ends the rounds: nothing is taken, and no lease renewed, from here on. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.rounds;
  }

  /** Leaves what this node has to others, at once. */
  async release(): Promise<void> {
    if (this.shared) await this.context.store.leases.release(this.holder);
  }

  private async take(taking: () => Promise<JobRecord | undefined>): Promise<JobRecord | undefined> {
    const from = performance.now();
    const job = await taking();
    if (job?.lease !== undefined) {
      this.leases.set(job.name, { token: job.lease, until: this.untilFrom(from) });
    }
    return job;
  }

  private untilFrom(from: number): number {
    return from + (this.holder.durationMs ?? Number.POSITIVE_INFINITY);
  }

  private async run(rounds: LeaseRounds): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      await this.round(rounds).catch((error: unknown) =>
        this.context.logger.error({ err: error }, 'leases were not looked after'),
      );
      await delay(ROUND_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async round(rounds: LeaseRounds): Promise<void> {
    const before = new Map(this.leases);
    const from = performance.now();
    const tokens = [...before.values()].map(({ token }) => token);
    const renewed = await this.context.store.leases.renew(this.holder, tokens);
    const byToken = new Map(renewed.map((lease) => [lease.token, lease]));
    for (const [name, { token }] of before) {
      // It may have ended here meanwhile, or have been taken anew.
      if (this.leases.get(name)?.token !== token) continue;
      const lease = byToken.get(token);
      if (lease === undefined) {
        this.leases.delete(name);
        await rounds.onLost(name);
      } else {
        this.leases.set(name, { token, until: this.untilFrom(from) });
        if (lease.status === 'STOPPING') rounds.onStopping(name);
      }
    }
    if (!this.closing.signal.aborted) await rounds.onRound();
  }
}
