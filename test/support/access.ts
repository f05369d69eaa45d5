import { unknownSessionToken } from '#burnish/identity/authentication-error.js';
import { Authorizer } from '#burnish/identity/authorizer.js';
import type { RoleAccess } from '#burnish/identity/job-roles/role-access.js';
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

/** Roles that may do everything. */
export function anyRole(objects: ObjectStore): RoleAccess {
  return { objectsFor: async () => objects, authorize: async () => undefined };
}
