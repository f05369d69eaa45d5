import type { Kysely, Transaction } from 'kysely';
import type { AccessKeyTable, PolicyTable, PrincipalTable, RoleTable } from './identity-schema.js';
import type { Schema } from './schema.js';

export type OwnerKind = 'user' | 'role';
export type KeyStatus = 'Active' | 'Inactive';

/** Everything about identities at one moment. */
export interface IdentitySnapshot {
  readonly revision: number;
  readonly users: readonly PrincipalTable[];
  readonly accessKeys: readonly AccessKeyTable[];
  readonly roles: readonly RoleTable[];
  readonly policies: readonly PolicyTable[];
}

export type IdentityStoreErrorCode =
  | 'NoSuchEntity'
  | 'EntityAlreadyExists'
  | 'DeleteConflict'
  | 'LimitExceeded';

/** What can't be changed as asked, with the code that IAM has for it. */
export class IdentityStoreError extends Error {
  override readonly name = 'IdentityStoreError';

  constructor(
    readonly code: IdentityStoreErrorCode,
    message: string,
  ) {
    super(message);
  }
}

type Change = Transaction<Schema>;

/**
 * The durable record of users, access keys, roles and policies. Every method is one transaction, and
 * every change counts the revision up.
 */
export class IdentityStore {
  constructor(private readonly db: Kysely<Schema>) {}

  async revision(): Promise<number> {
    return readRevision(this.db);
  }

  snapshot(): Promise<IdentitySnapshot> {
    return this.db.transaction().execute(async (transaction) => ({
      // First, so that a change in between is noticed by the next look.
      revision: await readRevision(transaction),
      users: await transaction.selectFrom('principals').selectAll().orderBy('name').execute(),
      accessKeys: await transaction
        .selectFrom('access_keys')
        .selectAll()
        .orderBy('created_at')
        .orderBy('id')
        .execute(),
      roles: await transaction.selectFrom('roles').selectAll().orderBy('name').execute(),
      policies: await transaction
        .selectFrom('policies')
        .selectAll()
        .orderBy('owner_kind')
        .orderBy('owner_name')
        .orderBy('name')
        .execute(),
    }));
  }

  /**
   * Lays the first stone: a role with a policy, unless anything was ever changed.
   * @returns whether it was laid
   */
  seed(role: RoleTable, policy: Omit<PolicyTable, 'owner_kind' | 'owner_name'>): Promise<boolean> {
    return this.db.transaction().execute(async (transaction) => {
      const claimed = await transaction
        .updateTable('identity_revision')
        .set({ revision: 1 })
        .where('revision', '=', 0)
        .executeTakeFirst();
      if (claimed.numUpdatedRows !== 1n) return false;
      await transaction.insertInto('roles').values(role).execute();
      await transaction
        .insertInto('policies')
        .values({ owner_kind: 'role', owner_name: role.name, ...policy })
        .execute();
      return true;
    });
  }

  createUser(user: PrincipalTable): Promise<void> {
    return this.change(async (transaction) => {
      await refuseTaken(transaction, 'user', user.name);
      await transaction.insertInto('principals').values(user).execute();
    });
  }

  createRole(role: RoleTable): Promise<void> {
    return this.change(async (transaction) => {
      await refuseTaken(transaction, 'role', role.name);
      await transaction.insertInto('roles').values(role).execute();
    });
  }

  /** @throws IdentityStoreError NoSuchEntity, and DeleteConflict while it has keys or policies */
  deleteOwner(kind: OwnerKind, name: string): Promise<void> {
    return this.change(async (transaction) => {
      await requireOwner(transaction, kind, name);
      const { policies, keys } = await belongings(transaction, kind, name);
      if (policies + keys > 0) {
        throw new IdentityStoreError(
          'DeleteConflict',
          `Cannot delete entity, must delete ${keys > 0 ? 'access keys' : 'policies'} first.`,
        );
      }
      await transaction
        .deleteFrom(kind === 'user' ? 'principals' : 'roles')
        .where('name', '=', name)
        .execute();
    });
  }

  updateTrustPolicy(role: string, document: string): Promise<void> {
    return this.change(async (transaction) => {
      await requireOwner(transaction, 'role', role);
      await transaction
        .updateTable('roles')
        .set({ trust_policy: document })
        .where('name', '=', role)
        .execute();
    });
  }

  /** @param limit how many keys a user may have */
  createAccessKey(key: AccessKeyTable, limit: number): Promise<void> {
    return this.change(async (transaction) => {
      await requireOwner(transaction, 'user', key.principal);
      const { keys } = await belongings(transaction, 'user', key.principal);
      if (keys >= limit) {
        throw new IdentityStoreError(
          'LimitExceeded',
          `Cannot exceed quota for AccessKeysPerUser: ${limit}`,
        );
      }
      await transaction.insertInto('access_keys').values(key).execute();
    });
  }

  setAccessKeyStatus(user: string, id: string, status: KeyStatus): Promise<void> {
    return this.change(async (transaction) => {
      const updated = await transaction
        .updateTable('access_keys')
        .set({ status })
        .where('id', '=', id)
        .where('principal', '=', user)
        .executeTakeFirst();
      if (updated.numUpdatedRows !== 1n) throw noSuchKey(id);
    });
  }

  deleteAccessKey(user: string, id: string): Promise<void> {
    return this.change(async (transaction) => {
      const deleted = await transaction
        .deleteFrom('access_keys')
        .where('id', '=', id)
        .where('principal', '=', user)
        .executeTakeFirst();
      if (deleted.numDeletedRows !== 1n) throw noSuchKey(id);
    });
  }

  /** Adds a policy, or replaces the one of that name. */
  putPolicy(policy: PolicyTable): Promise<void> {
    return this.change(async (transaction) => {
      await requireOwner(transaction, policy.owner_kind as OwnerKind, policy.owner_name);
      await transaction
        .insertInto('policies')
        .values(policy)
        .onConflict((conflict) =>
          conflict
            .columns(['owner_kind', 'owner_name', 'name'])
            .doUpdateSet({ document: policy.document }),
        )
        .execute();
    });
  }

  deletePolicy(kind: OwnerKind, owner: string, name: string): Promise<void> {
    return this.change(async (transaction) => {
      const deleted = await transaction
        .deleteFrom('policies')
        .where('owner_kind', '=', kind)
        .where('owner_name', '=', owner)
        .where('name', '=', name)
        .executeTakeFirst();
      if (deleted.numDeletedRows !== 1n) {
        throw new IdentityStoreError(
          'NoSuchEntity',
          `The ${kind} policy with name ${name} cannot be found.`,
        );
      }
    });
  }

  private change(act: (transaction: Change) => Promise<void>): Promise<void> {
    return this.db.transaction().execute(async (transaction) => {
      // Writing first takes the lock, so that what is read behind it stays true.
      await transaction
        .updateTable('identity_revision')
        .set((expression) => ({ revision: expression('revision', '+', 1) }))
        .execute();
      await act(transaction);
    });
  }
}

async function readRevision(db: Kysely<Schema>): Promise<number> {
  const row = await db.selectFrom('identity_revision').select('revision').executeTakeFirstOrThrow();
  return Number(row.revision);
}

async function isThere(db: Change, kind: OwnerKind, name: string): Promise<boolean> {
  const row = await db
    .selectFrom(kind === 'user' ? 'principals' : 'roles')
    .select('name')
    .where('name', '=', name)
    .executeTakeFirst();
  return row !== undefined;
}

async function requireOwner(db: Change, kind: OwnerKind, name: string): Promise<void> {
  if (await isThere(db, kind, name)) return;
  throw new IdentityStoreError('NoSuchEntity', `The ${kind} with name ${name} cannot be found.`);
}

async function refuseTaken(db: Change, kind: OwnerKind, name: string): Promise<void> {
  if (!(await isThere(db, kind, name))) return;
  const title = kind === 'user' ? 'User' : 'Role';
  throw new IdentityStoreError('EntityAlreadyExists', `${title} with name ${name} already exists.`);
}

async function belongings(db: Change, kind: OwnerKind, name: string) {
  const policies = await db
    .selectFrom('policies')
    .select('name')
    .where('owner_kind', '=', kind)
    .where('owner_name', '=', name)
    .execute();
  const keys =
    kind === 'role'
      ? []
      : await db.selectFrom('access_keys').select('id').where('principal', '=', name).execute();
  return { policies: policies.length, keys: keys.length };
}

const noSuchKey = (id: string) =>
  new IdentityStoreError('NoSuchEntity', `The Access Key with id ${id} cannot be found.`);
