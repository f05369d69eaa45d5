import {
  type CreateTableBuilder,
  type Kysely,
  PostgresAdapter,
  type RawBuilder,
  sql,
} from 'kysely';

/** Whether a database is PostgreSQL; otherwise it is SQLite. */
export function isPostgres<Schema>(db: Kysely<Schema>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/**
 * Adds a primary key that counts up with every row, for use with `$call` on a new table. A number
 * that was given is never given again.
 */
export function identityColumn<Schema, Column extends string>(db: Kysely<Schema>, column: Column) {
  const postgres = isPostgres(db);
  return <Table extends string, Columns extends string>(
    table: CreateTableBuilder<Table, Columns>,
  ): CreateTableBuilder<Table, Columns | Column> =>
    table.addColumn(column, postgres ? 'bigint' : 'integer', (definition) =>
      postgres
        ? definition.primaryKey().generatedAlwaysAsIdentity()
        : definition.primaryKey().autoIncrement(),
    );
}

/** The type of a text column that is put in order by its bytes, whatever the database's locale. */
export function orderedText<Schema>(db: Kysely<Schema>): 'text' | RawBuilder<string> {
  return isPostgres(db) ? sql<string>`text collate "C"` : 'text';
}

/** The type of a column of bytes. */
export function bytes<Schema>(db: Kysely<Schema>): 'blob' | 'bytea' {
  return isPostgres(db) ? 'bytea' : 'blob';
}

/** Now, in milliseconds since the epoch, by the database's clock, which all nodes agree on. */
export function databaseNow<Schema>(db: Kysely<Schema>): RawBuilder<number> {
  return isPostgres(db)
    ? sql<number>`cast(extract(epoch from clock_timestamp()) * 1000 as bigint)`
    : sql<number>`cast((julianday('now') - 2440587.5) * 86400000 as integer)`;
}
