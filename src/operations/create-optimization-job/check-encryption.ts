import { KeyError } from '../../encryption/key-error.js';
import { ObjectStoreError } from '../../objects/errors.js';
import { validationError } from '../../service-model/errors.js';
import type { OperationInput } from '../../service-model/operations.js';
import type { OperationContext } from '../operation-context.js';

/**
 * Checks that the key which is to encrypt the artifacts can be used, and by the job's role.
 * @throws ServiceError `ValidationException` with what KMS says of the key, or IAM of the role
 */
export async function checkEncryption(
  { kmsKeys, roles }: Pick<OperationContext, 'kmsKeys' | 'roles'>,
  input: OperationInput<'CreateOptimizationJob'>,
  jobArn: string,
): Promise<void> {
  const keyId = input.OutputConfig.KmsKeyId;
  if (keyId === undefined || keyId === '' || kmsKeys === undefined) return;
  const session = { roleArn: input.RoleArn, jobName: input.OptimizationJobName, jobArn };
  try {
    const resource = await kmsKeys.resolveUsable(keyId);
    await roles.authorize(session, { action: 'kms:GenerateDataKey', resource });
  } catch (error) {
    if (!(error instanceof KeyError || error instanceof ObjectStoreError)) throw error;
    throw validationError(`OutputConfig.KmsKeyId: ${error.message}`, { cause: error });
  }
}
