import { unknownSessionToken } from '#burnish/identity/authentication-error.js';
import { Authorizer } from '#burnish/identity/authorizer.js';
import type { RoleAccess } from '#burnish/identity/job-roles/role-access.js';
import { compilePolicy } from '#burnish/identity/policies/policy-document.js';
import type { AccessKey } from '#burnish/identity/signature-v4.js';
import type { ObjectStore } from '#burnish/objects/object-store.js';
import { AccessControl } from '#burnish/server/access-control.js';
import { RateLimiter } from '#burnish/server/rate-limiter.js';

/** Access control where there is one key, the administrator's. */
export function administratorOnly(key: AccessKey, region: string): AccessControl {
  return new AccessControl({
    keys: (id, token) => {
      if (token !== undefined) throw unknownSessionToken();
      return id === key.accessKeyId ? key : undefined;
    },
    authorizer: new Authorizer({ revision: 0, policiesOf: () => [] }),
    accountId: key.principal.accountId,
    region,
    allowUnsigned: false,
    limiter: new RateLimiter(1_000_000, 1_000_000),
  });
}

/** Access control where there is one key, that of a user with one policy. */
export function userWithPolicy(
  { accessKeyId, secretAccessKey, principal }: AccessKey,
  document: object,
): AccessControl {
  const { accountId } = principal;
  const arn = `arn:aws:iam::${accountId}:user/someone`;
  const user = { kind: 'user', arn, accountId, userId: 'AIDATEST', userName: 'someone' } as const;
  const policies = [compilePolicy('identity', 'test', JSON.stringify(document))];
  return new AccessControl({
    keys: (id) =>
      id === accessKeyId ? { accessKeyId, secretAccessKey, principal: user } : undefined,
    authorizer: new Authorizer({ revision: 0, policiesOf: () => policies }),
    accountId,
    region: 'us-east-1',
    allowUnsigned: false,
    limiter: new RateLimiter(1_000_000, 1_000_000),
  });
}

/** Roles that may do everything. */
export function anyRole(objects: ObjectStore): RoleAccess {
  return { objectsFor: async () => objects, authorize: async () => undefined };
}
