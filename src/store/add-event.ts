import type { Transaction } from 'kysely';
import type { JobStatus } from './job-record.js';
import type { Schema } from './schema.js';

/** Notes a change of state in a job's history, in the transaction that makes it. */
export async function addEvent(
  db: Transaction<Schema>,
  name: string,
  status: JobStatus,
  time: number,
  detail?: string,
): Promise<void> {
  await db
    .insertInto('job_events')
    .values({ job_name: name, time, status, detail: detail ?? null })
    .execute();
}
