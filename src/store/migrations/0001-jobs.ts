import { type Kysely, type Migration, sql } from 'kysely';
import { identityColumn, orderedText } from '../dialect.js';

/** The record of jobs, their tags and their history. */
export const jobsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('jobs')
      .addColumn('name', orderedText(db), (column) => column.primaryKey())
      .addColumn('arn', 'text', (column) => column.notNull().unique())
      .addColumn('status', orderedText(db), (column) => column.notNull())
      .addColumn('request', 'text', (column) => column.notNull())
      .addColumn('optimization_types', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('modified_at', 'bigint', (column) => column.notNull())
      .addColumn('started_at', 'bigint')
      .addColumn('ended_at', 'bigint')
      .addColumn('failure_reason', 'text')
      .addColumn('execution', 'text')
      .addColumn('queue_deadline', 'bigint')
      .execute();
    // One index for each order that ListOptimizationJobs offers; the name breaks ties.
    await sql`create index jobs_by_creation on jobs (created_at, name)`.execute(db);
    await sql`create index jobs_by_status on jobs (status, name)`.execute(db);
    await sql`create index jobs_by_queue_deadline on jobs (status, queue_deadline)`.execute(db);
    await db.schema
      .createTable('tags')
      .addColumn('resource_arn', 'text', (column) => column.notNull())
      .addColumn('key', orderedText(db), (column) => column.notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('tags_primary_key', ['resource_arn', 'key'])
      .execute();
    await db.schema
      .createTable('job_events')
      .$call(identityColumn(db, 'id'))
      .addColumn('job_name', 'text', (column) => column.notNull())
      .addColumn('time', 'bigint', (column) => column.notNull())
      .addColumn('status', 'text', (column) => column.notNull())
      .addColumn('detail', 'text')
      .execute();
    await sql`create index job_events_by_job on job_events (job_name, id)`.execute(db);
  },
};
