import type { MasterKey } from '../encryption/master-key.js';
import { loadOrCreateAccessKey } from '../identity/access-keys.js';
import { Authorizer } from '../identity/authorizer.js';
import { DEFAULT_SESSION_SECONDS, seedExecutionRole } from '../identity/execution-role.js';
import { IdentityDirectory } from '../identity/identity-directory.js';
import { LocalRoleAccess } from '../identity/job-roles/local-role-access.js';
import type { RoleAccess } from '../identity/job-roles/role-access.js';
import type { ObjectStore } from '../objects/object-store.js';
import type { IdentityStore } from '../store/identity-store.js';
import type { Logger } from '../telemetry/logger.js';
import type { ServiceConfiguration } from './configuration.js';

export interface Identities {
  readonly directory: IdentityDirectory;
  readonly authorizer: Authorizer;
  readonly roles: RoleAccess;
}

export interface IdentityParts {
  readonly store: IdentityStore;
  readonly masterKey: MasterKey;
  /** Where the jobs' models come from and go to. */
  readonly objects: ObjectStore;
  readonly logger: Logger;
}

/** Opens the record of who may do what, and makes what a fresh install has: an administrator and a role. */
export async function openIdentities(
  configuration: ServiceConfiguration,
  { store, masterKey, objects, logger }: IdentityParts,
): Promise<Identities> {
  const { dataDir, accountId, region } = configuration;
  const administrator = await loadOrCreateAccessKey(dataDir, { region, accountId });
  await seedExecutionRole(store);
  const directory = new IdentityDirectory(store, {
    accountId,
    masterKey,
    administrator,
    onProblem: (error) =>
      logger.error({ err: error }, 'part of the record of identities is unreadable'),
  });
  await directory.start();
  const authorizer = new Authorizer(directory);
  const roles =
    (await assumedRoles(configuration)) ??
    new LocalRoleAccess({ directory, authorizer, objects, accountId, region });
  return { directory, authorizer, roles };
}

/** Roles of an AWS account, where the models are at an S3 endpoint and STS is configured. */
async function assumedRoles({
  s3Endpoint,
  file,
}: ServiceConfiguration): Promise<RoleAccess | undefined> {
  const sts = file.roles?.assumeThroughSts;
  if (s3Endpoint === undefined || sts === undefined) return undefined;
  const { openAssumedRoleAccess } = await import('../identity/job-roles/assumed-role-access.js');
  return openAssumedRoleAccess({
    s3: s3Endpoint,
    stsEndpoint: sts.endpoint,
    stsRegion: sts.region ?? s3Endpoint.region,
    externalId: sts.externalId,
    durationSeconds: sts.sessionSeconds ?? DEFAULT_SESSION_SECONDS,
  });
}
