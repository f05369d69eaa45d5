import type { Kysely, Transaction } from 'kysely';
import type { Schema } from './schema.js';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** Why a job was given no tags. */
export type TagRefusal = 'too-many' | 'no-job';

/**
 * Adds tags to a job, or replaces their values, unless it would then have more than `limit`, however
 * many do so at once.
 * @returns the tags that the job then has, or why it has what it had before
 */
export function addTags(
  db: Kysely<Schema>,
  arn: string,
  tags: readonly Tag[],
  limit: number,
): Promise<readonly Tag[] | TagRefusal> {
  return db.transaction().execute(async (transaction) => {
    if (!(await lockJob(transaction, arn))) return 'no-job';
    const keys = new Set((await readTags(transaction, arn)).map((tag) => tag.Key));
    for (const tag of tags) keys.add(tag.Key);
    if (keys.size > limit) return 'too-many';
    await putTags(transaction, arn, tags);
    return readTags(transaction, arn);
  });
}

/** Takes tags away from a job; keys that it has none of are passed over. */
export function deleteTags(
  db: Kysely<Schema>,
  arn: string,
  keys: readonly string[],
): Promise<void> {
  return db.transaction().execute(async (transaction) => {
    if (!(await lockJob(transaction, arn))) return;
    await transaction
      .deleteFrom('tags')
      .where('resource_arn', '=', arn)
      .where('key', 'in', keys)
      .execute();
  });
}

/**
 * Has a job's tags to the transaction alone until its end: writing to the job's row takes the lock.
 * @returns whether there is such a job
 */
async function lockJob(db: Transaction<Schema>, arn: string): Promise<boolean> {
  const locked = await db
    .updateTable('jobs')
    .set((expression) => ({ arn: expression.ref('arn') }))
    .where('arn', '=', arn)
    .executeTakeFirst();
  return locked.numUpdatedRows === 1n;
}

/** Gives a resource tags; those that it has of the same key get the new value. */
export async function putTags(
  db: Transaction<Schema>,
  arn: string,
  tags: readonly Tag[],
): Promise<void> {
  if (tags.length === 0) return;
  await db
    .insertInto('tags')
    .values(tags.map((tag) => ({ resource_arn: arn, key: tag.Key, value: tag.Value })))
    .onConflict((conflict) =>
      conflict
        .columns(['resource_arn', 'key'])
        .doUpdateSet((expression) => ({ value: expression.ref('excluded.value') })),
    )
    .execute();
}

/** The tags of a resource, by key. */
export async function readTags(db: Kysely<Schema>, arn: string): Promise<readonly Tag[]> {
  const rows = await db
    .selectFrom('tags')
    .select(['key', 'value'])
    .where('resource_arn', '=', arn)
    .orderBy('key')
    .execute();
  return rows.map((row) => ({ Key: row.key, Value: row.value }));
}
