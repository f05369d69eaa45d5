import type { MasterKey } from '../encryption/master-key.js';
import type {
  AccessKeyTable,
  PolicyTable,
  PrincipalTable,
  RoleTable,
} from '../store/identity-schema.js';
import {
  type IdentityStore,
  IdentityStoreError,
  type KeyStatus,
  type OwnerKind,
} from '../store/identity-store.js';
import { DEFAULT_SESSION_SECONDS } from './execution-role.js';
import { accessKeyPurpose } from './identity-directory.js';
import { newIdentifier, newSecret } from './new-identifiers.js';
import { compilePolicy, type PolicyKind } from './policies/policy-document.js';

/** IAM's quota of access keys: the old one and the new one while they are rotated. */
const MAX_KEYS_OF_USER = 2;
/** IAM's bounds on names. */
const OWNER_NAME = /^[\w+=,.@-]{1,64}$/;
const POLICY_NAME = /^[\w+=,.@-]{1,128}$/;
/** IAM's bounds on the sessions of a role, in seconds. */
const MIN_SESSION_SECONDS = 3_600;
const MAX_SESSION_SECONDS = 43_200;

/** A name or a number that can't be. */
export class InvalidInputError extends Error {
  override readonly name = 'InvalidInputError';
}

export interface NewAccessKey {
  readonly key: AccessKeyTable;
  /** Told this once; afterwards it is only kept sealed. */
  readonly secret: string;
}

/** What an administrator does with users, keys, roles and policies; running services notice it. */
export class IdentityAdministration {
  constructor(
    private readonly store: IdentityStore,
    private readonly masterKey: MasterKey,
  ) {}

  async createUser(name: string): Promise<PrincipalTable> {
    checkName(name, OWNER_NAME, 'userName');
    const user = { name, id: newIdentifier('user'), created_at: Date.now() };
    await this.store.createUser(user);
    return user;
  }

  async createRole(
    name: string,
    trustPolicy: string,
    maxSessionSeconds: number = DEFAULT_SESSION_SECONDS,
  ): Promise<RoleTable> {
    checkName(name, OWNER_NAME, 'roleName');
    if (maxSessionSeconds < MIN_SESSION_SECONDS || maxSessionSeconds > MAX_SESSION_SECONDS) {
      throw new InvalidInputError(
        `maxSessionDuration takes ${MIN_SESSION_SECONDS} to ${MAX_SESSION_SECONDS} seconds`,
      );
    }
    const role = {
      name,
      id: newIdentifier('role'),
      trust_policy: checked('trust', name, trustPolicy),
      max_session_seconds: maxSessionSeconds,
      created_at: Date.now(),
    };
    await this.store.createRole(role);
    return role;
  }

  delete(kind: OwnerKind, name: string): Promise<void> {
    return this.store.deleteOwner(kind, name);
  }

  async updateTrustPolicy(role: string, trustPolicy: string): Promise<void> {
    await this.store.updateTrustPolicy(role, checked('trust', role, trustPolicy));
  }

  async createAccessKey(user: string): Promise<NewAccessKey> {
    const made = this.newKey(user);
    await this.store.createAccessKey(made.key, MAX_KEYS_OF_USER);
    return made;
  }

  /** A new key in the place of an old one, which is then inactive, so that it can be looked for. */
  async rotateAccessKey(user: string, oldId: string): Promise<NewAccessKey> {
    const keys = await this.accessKeys(user);
    if (!keys.some(({ id }) => id === oldId)) {
      throw new IdentityStoreError(
        'NoSuchEntity',
        `The Access Key with id ${oldId} cannot be found.`,
      );
    }
    const made = await this.createAccessKey(user);
    await this.store.setAccessKeyStatus(user, oldId, 'Inactive');
    return made;
  }

  setAccessKeyStatus(user: string, id: string, status: KeyStatus): Promise<void> {
    return this.store.setAccessKeyStatus(user, id, status);
  }

  deleteAccessKey(user: string, id: string): Promise<void> {
    return this.store.deleteAccessKey(user, id);
  }

  async putPolicy(kind: OwnerKind, owner: string, name: string, document: string): Promise<void> {
    checkName(name, POLICY_NAME, 'policyName');
    await this.store.putPolicy({
      owner_kind: kind,
      owner_name: owner,
      name,
      document: checked('identity', name, document),
    });
  }

  deletePolicy(kind: OwnerKind, owner: string, name: string): Promise<void> {
    return this.store.deletePolicy(kind, owner, name);
  }

  async users(): Promise<readonly PrincipalTable[]> {
    return (await this.store.snapshot()).users;
  }

  async roles(): Promise<readonly RoleTable[]> {
    return (await this.store.snapshot()).roles;
  }

  /** @throws IdentityStoreError NoSuchEntity */
  async user(name: string): Promise<PrincipalTable> {
    return found('user', name, await this.users());
  }

  /** @throws IdentityStoreError NoSuchEntity */
  async role(name: string): Promise<RoleTable> {
    return found('role', name, await this.roles());
  }

  /** @throws IdentityStoreError NoSuchEntity */
  async accessKeys(user: string): Promise<readonly AccessKeyTable[]> {
    const { users, accessKeys } = await this.store.snapshot();
    const { name } = found('user', user, users);
    return accessKeys.filter(({ principal }) => principal === name);
  }

  /** @throws IdentityStoreError NoSuchEntity */
  async policies(kind: OwnerKind, owner: string): Promise<readonly PolicyTable[]> {
    const { users, roles, policies } = await this.store.snapshot();
    found(kind, owner, kind === 'user' ? users : roles);
    return policies.filter(
      ({ owner_kind, owner_name }) => owner_kind === kind && owner_name === owner,
    );
  }

  private newKey(user: string): NewAccessKey {
    const id = newIdentifier('accessKey');
    const secret = newSecret();
    return {
      secret,
      key: {
        id,
        principal: user,
        sealed_secret: this.masterKey.seal(accessKeyPurpose(id), Buffer.from(secret)),
        status: 'Active',
        created_at: Date.now(),
      },
    };
  }
}

function found<Entity extends { readonly name: string }>(
  kind: OwnerKind,
  name: string,
  entities: readonly Entity[],
): Entity {
  const entity = entities.find((one) => one.name === name);
  if (entity !== undefined) return entity;
  throw new IdentityStoreError('NoSuchEntity', `The ${kind} with name ${name} cannot be found.`);
}

function checkName(name: string, pattern: RegExp, member: string): void {
  if (pattern.test(name)) return;
  throw new InvalidInputError(
    `The specified value for ${member} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-`,
  );
}

/** @throws MalformedPolicyError */
function checked(kind: PolicyKind, name: string, document: string): string {
  compilePolicy(kind, name, document);
  return document;
}
