import { ObjectStoreError } from '../../objects/errors.js';
import type { ObjectStore } from '../../objects/object-store.js';
import { AccessDeniedError } from '../access-denied-error.js';
import type { Authorizer, Permission, RequestFacts } from '../authorizer.js';
import type { IdentityDirectory, Role } from '../identity-directory.js';
import { evaluatePolicies } from '../policies/evaluate-policies.js';
import { servicePrincipal } from '../principal.js';
import { GuardedObjects } from './guarded-objects.js';
import { type JobSession, type RoleAccess, RoleNotAssumableError } from './role-access.js';

/** The principal that SageMaker's jobs are run by. */
const SAGEMAKER_PRINCIPAL = 'sagemaker.amazonaws.com';

export interface LocalRoleAccessOptions {
  readonly directory: IdentityDirectory;
  readonly authorizer: Authorizer;
  readonly objects: ObjectStore;
  readonly accountId: string;
  readonly region: string;
}

/** Roles of this service's own record: every access of a job is held to the policies of its role. */
export class LocalRoleAccess implements RoleAccess {
  constructor(private readonly options: LocalRoleAccessOptions) {}

  async objectsFor(session: JobSession): Promise<ObjectStore> {
    this.assume(session);
    const { objects, region } = this.options;
    const guard = (permission: Permission) => this.authorize(session, permission);
    return new GuardedObjects(objects, guard, region);
  }

  async authorize(session: JobSession, permission: Permission): Promise<void> {
    const { directory, authorizer, region } = this.options;
    // Looked up each time: what a running job may do changes with the role.
    const principal = directory.sessionOf(this.assume(session), session.jobName);
    const facts: RequestFacts = { secure: true, region, now: new Date() };
    try {
      await authorizer.authorize(principal, permission, facts);
    } catch (error) {
      if (!(error instanceof AccessDeniedError)) throw error;
      throw new ObjectStoreError('AccessDenied', error.message, { cause: error });
    }
  }

  /** @throws RoleNotAssumableError when there is no such role, or it doesn't trust SageMaker */
  private assume({ roleArn, jobArn }: JobSession): Role {
    const { directory, accountId } = this.options;
    const role = directory.role(roleArn);
    if (role === undefined) throw new RoleNotAssumableError(roleArn);
    const verdict = evaluatePolicies(
      [],
      {
        principalArn: servicePrincipal(SAGEMAKER_PRINCIPAL, accountId).arn,
        accountId,
        action: 'sts:AssumeRole',
        resource: roleArn,
        context: { 'aws:SourceAccount': accountId, 'aws:SourceArn': jobArn },
      },
      role.trust,
    );
    if (verdict !== 'allowed') throw new RoleNotAssumableError(roleArn);
    return role;
  }
}
