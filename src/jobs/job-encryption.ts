import type { EncryptionRequest } from '../objects/encrypted-files/object-keys.js';
import type { JobRecord } from '../store/job-record.js';
import type { JobContext } from './job-context.js';

/** How all artifacts of a job are to be encrypted; undefined for a job that names no key. */
export function artifactEncryption({ request }: JobRecord): EncryptionRequest | undefined {
  const keyId = request.OutputConfig.KmsKeyId;
  return keyId === undefined || keyId === '' ? undefined : { keyId };
}

/**
 * Makes sure, before any work is done, that the key of the artifacts can be used by the job's role.
 * @throws KeyError, ObjectStoreError `AccessDenied`
 */
export async function checkArtifactKey(context: JobContext, job: JobRecord): Promise<void> {
  const keyId = artifactEncryption(job)?.keyId;
  if (keyId === undefined || context.kmsKeys === undefined) return;
  const resource = await context.kmsKeys.resolveUsable(keyId);
  const session = { roleArn: job.request.RoleArn, jobName: job.name, jobArn: job.arn };
  await context.roles.authorize(session, { action: 'kms:GenerateDataKey', resource });
}
