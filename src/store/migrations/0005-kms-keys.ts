import type { Kysely, Migration } from 'kysely';

/** The named keys that objects are encrypted under. */
export const kmsKeysMigration: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('kms_keys')
      .addColumn('id', 'text', (column) => column.primaryKey())
      .addColumn('description', 'text', (column) => column.notNull())
      .addColumn('state', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addColumn('deletion_at', 'bigint')
      .execute();
    await db.schema
      .createTable('kms_key_versions')
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('version', 'integer', (column) => column.notNull())
      .addColumn('sealed', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .addPrimaryKeyConstraint('kms_key_versions_primary_key', ['key_id', 'version'])
      .execute();
    await db.schema
      .createTable('kms_aliases')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('key_id', 'text', (column) => column.notNull())
      .addColumn('created_at', 'bigint', (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex('kms_aliases_by_key')
      .on('kms_aliases')
      .columns(['key_id', 'name'])
      .execute();
  },
};
