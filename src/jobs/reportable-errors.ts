import { KeyError } from '../encryption/key-error.js';
import { ExecutorError } from '../executors/executor.js';
import { RoleNotAssumableError } from '../identity/job-roles/role-access.js';
import { ObjectStoreError } from '../objects/errors.js';
import { InvalidS3UriError } from '../objects/s3-uri.js';

/** What the operating system says, in words for the person who sent the job. */
const SYSTEM_ERRORS: Readonly<Record<string, string>> = {
  ENOSPC: 'The service’s disk is full. Free space on it and create the job again.',
  EDQUOT: 'The service’s disk quota is used up. Free space and create the job again.',
  EROFS: 'The service’s disk is read-only. Make it writable and create the job again.',
};

/** The text of an error that was written for the person who sent the job; undefined for others. */
export function reportableMessage(error: unknown): string | undefined {
  if (
    error instanceof ExecutorError ||
    error instanceof ObjectStoreError ||
    error instanceof RoleNotAssumableError ||
    error instanceof InvalidS3UriError
  ) {
    return error.message;
  }
  if (error instanceof KeyError) return `KMS.${error.code}: ${error.message}`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return SYSTEM_ERRORS[code];
}
