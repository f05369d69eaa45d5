import type { Kysely } from 'kysely';
import { addEvent } from './add-event.js';
import { IdentityStore } from './identity-store.js';
import { JobLeases, LeaseLostError, NO_LEASE } from './job-leases.js';
import {
  type JobExecution,
  type JobNeeds,
  type JobProgress,
  type JobRecord,
  type JobRequest,
  type JobStatus,
  recordOfRow,
} from './job-record.js';
import { addTags, deleteTags, putTags, readTags, type Tag, type TagRefusal } from './job-tags.js';
import { KeyStore } from './key-store.js';
import { type JobListQuery, listJobs } from './list-jobs.js';
import type { Schema } from './schema.js';

export interface NewJob {
  readonly name: string;
  readonly arn: string;
  readonly request: JobRequest;
  readonly optimizationTypes: readonly string[];
  readonly tags: readonly Tag[];
  readonly createdAt: number;
  /** Until when the job may wait to be started; undefined for any time. */
  readonly queueDeadline?: number | undefined;
  /** Of the request that creates it. */
  readonly requestId?: string | undefined;
}

/** What a change of state may set besides the state itself. */
export interface TransitionDetails {
  readonly at: number;
  readonly failureReason?: string | undefined;
  readonly started?: boolean;
  readonly ended?: boolean;
  /** How far the job had come when it ended. */
  readonly progress?: JobProgress | undefined;
  /** The lease that the job has to be under; by whom it is held does not matter where it is absent. */
  readonly lease?: string | undefined;
}

export interface JobEvent {
  readonly time: number;
  readonly status: JobStatus;
  readonly detail: string | undefined;
}

/** A job of that name exists already. */
export class JobExistsError extends Error {
  override readonly name = 'JobExistsError';
}

/** The durable record of jobs, their tags and their history. Every method is one transaction. */
export class JobStore {
  /** Who may do what, in the same database. */
  readonly identities: IdentityStore;
  /** The named keys, in the same database. */
  readonly keys: KeyStore;
  /** Who has which running job. */
  readonly leases: JobLeases;

  constructor(private readonly db: Kysely<Schema>) {
    this.identities = new IdentityStore(db);
    this.keys = new KeyStore(db);
    this.leases = new JobLeases(db);
  }

  /**
   * Records a new job in state STARTING; durable when the promise is fulfilled.
   * @throws JobExistsError when the name is taken
   */
  async create(job: NewJob): Promise<void> {
    await this.db.transaction().execute(async (transaction) => {
      const inserted = await transaction
        .insertInto('jobs')
        .values({
          name: job.name,
          arn: job.arn,
          status: 'STARTING',
          request: JSON.stringify(job.request),
          optimization_types: job.optimizationTypes.join(','),
          created_at: job.createdAt,
          modified_at: job.createdAt,
          started_at: null,
          ended_at: null,
          failure_reason: null,
          execution: null,
          queue_deadline: job.queueDeadline ?? null,
          needs: null,
          progress: null,
          request_id: job.requestId ?? null,
        })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows !== 1n) throw new JobExistsError(job.name);
      await putTags(transaction, job.arn, job.tags);
      await addEvent(transaction, job.name, 'STARTING', job.createdAt);
    });
  }

  async get(name: string): Promise<JobRecord | undefined> {
    const row = await this.db
      .selectFrom('jobs')
      .selectAll()
      .where('name', '=', name)
      .executeTakeFirst();
    return row === undefined ? undefined : recordOfRow(row);
  }

  list(query: JobListQuery): Promise<readonly JobRecord[]> {
    return listJobs(this.db, query);
  }

  /** Jobs in one of some states, oldest first. */
  async inStates(states: readonly JobStatus[], limit: number): Promise<readonly JobRecord[]> {
    const rows = await this.db
      .selectFrom('jobs')
      .selectAll()
      .where('status', 'in', states)
      .orderBy('created_at')
      .orderBy('name')
      .limit(limit)
      .execute();
    return rows.map(recordOfRow);
  }

  /** Waiting jobs of which nobody has estimated yet what they take, oldest first. */
  async withoutNeeds(limit: number): Promise<readonly JobRecord[]> {
    const rows = await this.db
      .selectFrom('jobs')
      .selectAll()
      .where('status', '=', 'STARTING')
      .where('needs', 'is', null)
      .orderBy('created_at')
      .orderBy('name')
      .limit(limit)
      .execute();
    return rows.map(recordOfRow);
  }

  /** Notes what a waiting job is expected to take. */
  async setNeeds(name: string, needs: JobNeeds): Promise<void> {
    await this.db
      .updateTable('jobs')
      .set({ needs: JSON.stringify(needs) })
      .where('name', '=', name)
      .where('status', '=', 'STARTING')
      .execute();
  }

  /** Waiting jobs whose time to be started is over, the longest over first. */
  async queuedPast(time: number, limit: number): Promise<readonly JobRecord[]> {
    const rows = await this.db
      .selectFrom('jobs')
      .selectAll()
      .where('status', '=', 'STARTING')
      .where('queue_deadline', '<=', time)
      .orderBy('queue_deadline')
      .limit(limit)
      .execute();
    return rows.map(recordOfRow);
  }

  /** When the next waiting job's time to be started is over. */
  async earliestQueueDeadline(): Promise<number | undefined> {
    const row = await this.db
      .selectFrom('jobs')
      .select('queue_deadline')
      .where('status', '=', 'STARTING')
      .where('queue_deadline', 'is not', null)
      .orderBy('queue_deadline')
      .limit(1)
      .executeTakeFirst();
    return row?.queue_deadline ?? undefined;
  }

  async countInState(status: JobStatus): Promise<number> {
    const row = await this.db
      .selectFrom('jobs')
      .select((expression) => expression.fn.countAll<number>().as('count'))
      .where('status', '=', status)
      .executeTakeFirstOrThrow();
    return Number(row.count);
  }

  /** How many jobs are in each state that any job is in. */
  async countByState(): Promise<ReadonlyMap<string, number>> {
    const rows = await this.db
      .selectFrom('jobs')
      .select((expression) => ['status', expression.fn.countAll<number>().as('count')])
      .groupBy('status')
      .execute();
    return new Map(rows.map(({ status, count }) => [status, Number(count)]));
  }

  /**
   * Moves a job from one of some states to another.
   * @returns false, and changes nothing, when the job is in none of them, or not under the lease
   */
  async transition(
    name: string,
    from: readonly JobStatus[],
    to: JobStatus,
    details: TransitionDetails,
  ): Promise<boolean> {
    return this.db.transaction().execute(async (transaction) => {
      const updated = await transaction
        .updateTable('jobs')
        .set({
          status: to,
          modified_at: details.at,
          ...(details.started === true ? { started_at: details.at } : {}),
          ...(details.progress === undefined ? {} : { progress: JSON.stringify(details.progress) }),
          ...(details.ended === true ? { ended_at: details.at, execution: null, ...NO_LEASE } : {}),
          ...(details.failureReason === undefined ? {} : { failure_reason: details.failureReason }),
        })
        .where('name', '=', name)
        .where('status', 'in', from)
        .$if(details.lease !== undefined, (query) =>
          query.where('lease_token', '=', details.lease ?? ''),
        )
        .executeTakeFirst();
      if (updated.numUpdatedRows !== 1n) return false;
      await addEvent(transaction, name, to, details.at, details.failureReason);
      return true;
    });
  }

  /**
   * Notes how far the execution of a job is.
   * @throws LeaseLostError when the job is no longer under the lease that it was taken under
   */
  async setExecution(
    { name, lease }: Pick<JobRecord, 'name' | 'lease'>,
    execution: JobExecution,
  ): Promise<void> {
    const updated = await this.db
      .updateTable('jobs')
      .set({ execution: JSON.stringify(execution) })
      .where('name', '=', name)
      .where('lease_token', '=', lease ?? '')
      .executeTakeFirst();
    if (updated.numUpdatedRows !== 1n) throw new LeaseLostError(name);
  }

  /**
   * Deletes the record of a job in one of some states, with its tags and history.
   * @returns false, and changes nothing, when the job is in none of them
   */
  async delete(name: string, from: readonly JobStatus[]): Promise<boolean> {
    return this.db.transaction().execute(async (transaction) => {
      const deleted = await transaction
        .deleteFrom('jobs')
        .where('name', '=', name)
        .where('status', 'in', from)
        .returning('arn')
        .executeTakeFirst();
      if (deleted === undefined) return false;
      await transaction.deleteFrom('tags').where('resource_arn', '=', deleted.arn).execute();
      await transaction.deleteFrom('job_events').where('job_name', '=', name).execute();
      return true;
    });
  }

  /** The changes of state of a job, oldest first. */
  async history(name: string): Promise<readonly JobEvent[]> {
    const rows = await this.db
      .selectFrom('job_events')
      .selectAll()
      .where('job_name', '=', name)
      .orderBy('id')
      .execute();
    return rows.map((row) => ({
      time: row.time,
      status: row.status as JobStatus,
      detail: row.detail ?? undefined,
    }));
  }

  /** Adds tags, or replaces their values: `addTags` in job-tags.ts. */
  addTags(arn: string, tags: readonly Tag[], limit: number): Promise<readonly Tag[] | TagRefusal> {
    return addTags(this.db, arn, tags, limit);
  }

  listTags(arn: string): Promise<readonly Tag[]> {
    return readTags(this.db, arn);
  }

  deleteTags(arn: string, keys: readonly string[]): Promise<void> {
    return deleteTags(this.db, arn, keys);
  }

  async close(): Promise<void> {
    await this.db.destroy();
  }
}
