import type { Kysely } from 'kysely';
import type { KmsAliasTable, KmsKeyTable, KmsKeyVersionTable } from './key-schema.js';
import type { Schema } from './schema.js';

export type KeyRecord = KmsKeyTable;
export type KeyVersionRecord = KmsKeyVersionTable;
export type AliasRecord = KmsAliasTable;

/** An alias of that name exists already. */
export class AliasExistsError extends Error {
  override readonly name = 'AliasExistsError';
}

/** The durable record of named keys, their versions and aliases. Every method is one transaction. */
export class KeyStore {
  constructor(private readonly db: Kysely<Schema>) {}

  /** @throws AliasExistsError, with nothing changed, when the alias is taken */
  async create(key: KeyRecord, version: KeyVersionRecord, alias?: AliasRecord): Promise<void> {
    await this.db.transaction().execute(async (transaction) => {
      await transaction.insertInto('kms_keys').values(key).execute();
      await transaction.insertInto('kms_key_versions').values(version).execute();
      if (alias !== undefined) await insertAlias(transaction, alias);
    });
  }

  async get(id: string): Promise<KeyRecord | undefined> {
    return this.db.selectFrom('kms_keys').selectAll().where('id', '=', id).executeTakeFirst();
  }

  /** Keys by id, behind one of them. */
  async list(after: string, limit: number): Promise<readonly KeyRecord[]> {
    return this.db
      .selectFrom('kms_keys')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  /** @returns whether there is such a key */
  async setState(id: string, state: string, deletionAt: number | null): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('kms_keys')
      .set({ state, deletion_at: deletionAt })
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  async addVersion(version: KeyVersionRecord): Promise<void> {
    await this.db.insertInto('kms_key_versions').values(version).execute();
  }

  /** One version of a key, or the newest. */
  async version(id: string, version?: number): Promise<KeyVersionRecord | undefined> {
    let select = this.db.selectFrom('kms_key_versions').selectAll().where('key_id', '=', id);
    if (version !== undefined) select = select.where('version', '=', version);
    return select.orderBy('version', 'desc').limit(1).executeTakeFirst();
  }

  /** Removes keys whose time is over, with all that they could open. @returns their ids */
  async removeDue(now: number): Promise<readonly string[]> {
    return this.db.transaction().execute(async (transaction) => {
      const due = await transaction
        .deleteFrom('kms_keys')
        .where('deletion_at', '<=', now)
        .returning('id')
        .execute();
      const ids = due.map(({ id }) => id);
      if (ids.length === 0) return ids;
      await transaction.deleteFrom('kms_key_versions').where('key_id', 'in', ids).execute();
      await transaction.deleteFrom('kms_aliases').where('key_id', 'in', ids).execute();
      return ids;
    });
  }

  /** @throws AliasExistsError */
  async addAlias(alias: AliasRecord): Promise<void> {
    await insertAlias(this.db, alias);
  }

  /** @returns whether there was such an alias */
  async pointAlias(name: string, keyId: string): Promise<boolean> {
    const { numUpdatedRows } = await this.db
      .updateTable('kms_aliases')
      .set({ key_id: keyId })
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    return numUpdatedRows === 1n;
  }

  /** @returns whether there was such an alias */
  async removeAlias(name: string): Promise<boolean> {
    const { numDeletedRows } = await this.db
      .deleteFrom('kms_aliases')
      .where('name', '=', name)
      .executeTakeFirstOrThrow();
    return numDeletedRows === 1n;
  }

  async alias(name: string): Promise<AliasRecord | undefined> {
    return this.db
      .selectFrom('kms_aliases')
      .selectAll()
      .where('name', '=', name)
      .executeTakeFirst();
  }

  /** Aliases by name, behind one of them; of one key, if it is given. */
  async listAliases(after: string, limit: number, keyId?: string): Promise<readonly AliasRecord[]> {
    let select = this.db.selectFrom('kms_aliases').selectAll().where('name', '>', after);
    if (keyId !== undefined) select = select.where('key_id', '=', keyId);
    return select.orderBy('name').limit(limit).execute();
  }
}

async function insertAlias(db: Kysely<Schema>, alias: AliasRecord): Promise<void> {
  const inserted = await db
    .insertInto('kms_aliases')
    .values(alias)
    .onConflict((conflict) => conflict.column('name').doNothing())
    .executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows !== 1n) throw new AliasExistsError(alias.name);
}
