import type { ObjectStore } from '../../objects/object-store.js';
import type { Permission } from '../authorizer.js';

/** The job that acts as a role. */
export interface JobSession {
  readonly roleArn: string;
  readonly jobName: string;
  readonly jobArn: string;
}

/** What jobs may touch: each acts as the role that its request names, never as the service. */
export interface RoleAccess {
  /**
   * The object store as the job's role sees it.
   * @throws RoleNotAssumableError
   */
  objectsFor(session: JobSession): Promise<ObjectStore>;
  /**
   * Asks for one more thing that a job does as its role, for example to use a key.
   * @throws RoleNotAssumableError, ObjectStoreError `AccessDenied`
   */
  authorize(session: JobSession, permission: Permission): Promise<void>;
}

/** There is no such role, or it doesn't let the service act as it. The message is SageMaker's. */
export class RoleNotAssumableError extends Error {
  override readonly name = 'RoleNotAssumableError';

  constructor(roleArn: string, options?: ErrorOptions) {
    super(
      `Could not assume role ${roleArn}. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role.`,
      options,
    );
  }
}
