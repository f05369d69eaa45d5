import type { Kysely, Migration } from 'kysely';

/** Which node has which job, and which data folder the nodes of a database share. */
export const leasesMigration: Migration = {
  async up(db: Kysely<unknown>) {
    for (const column of ['lease_token', 'lease_node']) {
      await db.schema.alterTable('jobs').addColumn(column, 'text').execute();
    }
    await db.schema.alterTable('jobs').addColumn('lease_expires_at', 'bigint').execute();
    await db.schema
      .alterTable('jobs')
      .addColumn('attempt', 'integer', (column) => column.notNull().defaultTo(0))
      .execute();
    await db.schema
      .createTable('installation')
      .addColumn('id', 'integer', (column) => column.primaryKey())
      .addColumn('data_folder', 'text', (column) => column.notNull())
      .execute();
  },
};
