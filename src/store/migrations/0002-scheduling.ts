import type { Kysely, Migration } from 'kysely';

/** What a job is expected to take, and how far it came, as JSON. */
export const schedulingMigration: Migration = {
  async up(db: Kysely<unknown>) {
    for (const column of ['needs', 'progress']) {
      await db.schema.alterTable('jobs').addColumn(column, 'text').execute();
    }
  },
};
