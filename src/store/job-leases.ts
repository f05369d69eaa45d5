import { randomUUID } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import { addEvent } from './add-event.js';
import { databaseNow, isPostgres } from './dialect.js';
import { type JobExecution, type JobRecord, type JobStatus, recordOfRow } from './job-record.js';
import type { Schema } from './schema.js';

/** Somebody else has the job now: what this node was about to record of it is not recorded. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** A node, as the holder of leases. */
export interface LeaseHolder {
  /** This process of the service, and no other one that ever was. */
  readonly node: string;
  /**
   * How long a lease lasts unless it is renewed, in milliseconds; undefined for a process that has the
   * record to itself, whose leases never end.
   */
  readonly durationMs: number | undefined;
}

/** What a node learns of a job that it has. */
export interface HeldLease {
  readonly name: string;
  readonly token: string;
  readonly status: JobStatus;
}

const LEASED = ['INPROGRESS', 'STOPPING'] as const satisfies readonly JobStatus[];

/**
 * Who has which job. A running job has a lease with a token of its own; whatever its node records of
 * it, it records under that token, so that a node that lost the job, and does not know it yet, changes
 * nothing. Leases end by the database's clock, which is everybody's.
 */
export class JobLeases {
  constructor(private readonly db: Kysely<Schema>) {}

  /**
   * Takes a waiting job and marks it as running, if it is still waiting and nobody else is at it.
   * @returns the job under its new lease
   */
  async takeWaiting(
    name: string,
    holder: LeaseHolder,
    details: { readonly at: number; readonly started: boolean },
  ): Promise<JobRecord | undefined> {
    return this.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .updateTable('jobs')
        .set({
          status: 'INPROGRESS',
          modified_at: details.at,
          ...(details.started ? { started_at: details.at } : {}),
          ...this.lease(holder),
        })
        .where('name', 'in', this.lock(transaction, name, ['STARTING']))
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) return undefined;
      await addEvent(transaction, name, 'INPROGRESS', details.at);
      return recordOfRow(row);
    });
  }

  /** Running jobs whose node is gone, oldest first; all of them, for a process that is alone. */
  async lost({ durationMs }: LeaseHolder, limit: number): Promise<readonly JobRecord[]> {
    const rows = await this.db
      .selectFrom('jobs')
      .selectAll()
      .where('status', 'in', LEASED)
      .$if(durationMs !== undefined, (query) => query.where(this.ended()))
      .orderBy('created_at')
      .orderBy('name')
      .limit(limit)
      .execute();
    return rows.map(recordOfRow);
  }

  /**
   * Takes a job over from a node that is gone. Its state stays what it is.
   * @returns the job under its new lease, or undefined when another node was faster
   */
  async takeLost(name: string, holder: LeaseHolder): Promise<JobRecord | undefined> {
    return this.db.transaction().execute(async (transaction) => {
      const lost = this.lock(transaction, name, LEASED).$if(
        holder.durationMs !== undefined,
        (query) => query.where(this.ended()),
      );
      const row = await transaction
        .updateTable('jobs')
        .set(this.lease(holder))
        .where('name', 'in', lost)
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? undefined : recordOfRow(row);
    });
  }

  /** Renews leases of a node. @returns those that it still has, with the states of their jobs */
  async renew(holder: LeaseHolder, tokens: readonly string[]): Promise<readonly HeldLease[]> {
    if (tokens.length === 0) return [];
    const rows = await this.db
      .updateTable('jobs')
      .set({ lease_expires_at: this.expiry(holder) })
      .where('lease_token', 'in', tokens)
      .where('status', 'in', LEASED)
      .returning(['name', 'lease_token', 'status'])
      .execute();
    return rows.flatMap(({ name, lease_token, status }) =>
      lease_token === null ? [] : [{ name, token: lease_token, status: status as JobStatus }],
    );
  }

  /** Whether a job is still under a lease; if it is, nobody else takes it before the lease ends. */
  async isHeld({ name, lease }: JobRecord): Promise<boolean> {
    const row = await this.db
      .selectFrom('jobs')
      .select('name')
      .where('name', '=', name)
      .where('lease_token', '=', lease ?? '')
      .executeTakeFirst();
    return row !== undefined;
  }

  /**
   * Puts a job that can't go on where it is back into the queue, to be started anew in a folder that
   * no earlier attempt writes to.
   *
   * @param deadline until when it may wait, which is until when it may run
   * @throws LeaseLostError
   */
  async requeue(job: JobRecord, at: number, deadline: number): Promise<void> {
    const publishing = job.execution?.publishing;
    const execution: JobExecution | undefined =
      publishing === undefined ? undefined : { step: 0, publishing };
    await this.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .updateTable('jobs')
        .set({
          status: 'STARTING',
          modified_at: at,
          queue_deadline: deadline,
          execution: execution === undefined ? null : JSON.stringify(execution),
          attempt: sql<number>`attempt + 1`,
          ...NO_LEASE,
        })
        .where('name', '=', job.name)
        .where('status', '=', 'INPROGRESS')
        .where('lease_token', '=', job.lease ?? '')
        .returning('name')
        .executeTakeFirst();
      if (row === undefined) throw new LeaseLostError(job.name);
      await addEvent(transaction, job.name, 'STARTING', at, 'its node was lost');
    });
  }

  /** Gives all jobs of a node to whoever takes them first. */
  async release({ node }: LeaseHolder): Promise<void> {
    await this.db
      .updateTable('jobs')
      .set({ lease_expires_at: 0 })
      .where('lease_node', '=', node)
      .where('status', 'in', LEASED)
      .execute();
  }

  /**
   * Notes which data folder the nodes of this database share, unless it was noted before.
   * @returns the one that they share
   */
  async sharedFolder(id: string): Promise<string> {
    await this.db
      .insertInto('installation')
      .values({ id: 1, data_folder: id })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    const row = await this.db
      .selectFrom('installation')
      .select('data_folder')
      .where('id', '=', 1)
      .executeTakeFirstOrThrow();
    return row.data_folder;
  }

  /** The row of a job in one of some states, locked; none where another node has locked it. */
  private lock(db: Kysely<Schema>, name: string, states: readonly JobStatus[]) {
    return db
      .selectFrom('jobs')
      .select('name')
      .where('name', '=', name)
      .where('status', 'in', states)
      .$if(isPostgres(db), (query) => query.forUpdate().skipLocked());
  }

  private lease(holder: LeaseHolder) {
    return {
      lease_token: randomUUID(),
      lease_node: holder.node,
      lease_expires_at: this.expiry(holder),
    };
  }

  private expiry({ durationMs }: LeaseHolder) {
    return durationMs === undefined
      ? null
      : sql<number>`${databaseNow(this.db)} + cast(${durationMs} as bigint)`;
  }

  private ended() {
    return sql<boolean>`coalesce(lease_expires_at, 0) < ${databaseNow(this.db)}`;
  }
}

/** What takes a job's lease away. */
export const NO_LEASE = { lease_token: null, lease_node: null, lease_expires_at: null } as const;
