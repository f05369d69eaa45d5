import type {
  EncryptionRequest,
  ObjectEncryption,
} from '../../objects/encrypted-files/object-keys.js';
import type { HeaderValues, S3Call } from './s3-call.js';
import { invalidArgument, notImplemented } from './s3-error.js';

const ALGORITHM_HEADER = 'x-amz-server-side-encryption';
const KEY_HEADER = 'x-amz-server-side-encryption-aws-kms-key-id';
const KMS = 'aws:kms';

/**
 * How a request wants an object to be encrypted: under a key of KMS, or not at all.
 * @throws S3Error NotImplemented for other ways, InvalidArgument for a key without KMS
 */
export function readEncryption(call: Pick<S3Call, 'headers' | 'keyAccess'>): {
  readonly encryption?: EncryptionRequest;
} {
  const { headers, keyAccess } = call;
  const algorithm = headers.get(ALGORITHM_HEADER);
  const keyId = headers.get(KEY_HEADER);
  if (algorithm !== undefined && algorithm !== KMS) {
    throw notImplemented(
      `Server-side encryption other than ${KMS}: the header ${ALGORITHM_HEADER}: ${algorithm.slice(0, 40)}`,
    );
  }
  if (algorithm === undefined) {
    if (keyId === undefined) return {};
    throw invalidArgument(`The header ${KEY_HEADER} requires ${ALGORITHM_HEADER}: ${KMS}.`);
  }
  return { encryption: { keyId: keyId === '' ? undefined : keyId, ...keyAccess } };
}

/** What a response says of an object's encryption. */
export function encryptionHeaders(encryption: ObjectEncryption | undefined): HeaderValues {
  return encryption === undefined
    ? {}
    : { [ALGORITHM_HEADER]: KMS, [KEY_HEADER]: encryption.keyArn };
}
