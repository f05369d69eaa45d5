import type { Kysely, Migration } from 'kysely';

/** Which request created a job, so that what is logged of the job can be traced to it. */
export const requestIdsMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema.alterTable('jobs').addColumn('request_id', 'text').execute();
  },
};
