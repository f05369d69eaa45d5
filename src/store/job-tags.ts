import type { Kysely, Transaction } from 'kysely';
import type { Schema } from './schema.js';

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/**
 * Adds tags, or replaces their values, unless the resource would then have more than `limit`.
 * @returns the tags that the resource then has, or undefined when they were too many
 */
export function addTags(
  db: Kysely<Schema>,
  arn: string,
  tags: readonly Tag[],
  limit: number,
): Promise<readonly Tag[] | undefined> {
  return db.transaction().execute(async (transaction) => {
    const keys = new Set((await readTags(transaction, arn)).map((tag) => tag.Key));
    for (const tag of tags) keys.add(tag.Key);
    if (keys.size > limit) return undefined;
    await putTags(transaction, arn, tags);
    return readTags(transaction, arn);
  });
}

/** Takes tags away from a resource; keys that it has none of are passed over. */
export async function deleteTags(
  db: Kysely<Schema>,
  arn: string,
  keys: readonly string[],
): Promise<void> {
  await db.deleteFrom('tags').where('resource_arn', '=', arn).where('key', 'in', keys).execute();
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
