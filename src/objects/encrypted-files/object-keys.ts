/** What someone who reads or writes an encrypted object does with its key, as policies name it. */
export type KeyAction = 'kms:Decrypt' | 'kms:GenerateDataKey';

/** Throws, with an error for the one who asked, when they may not do that with the key. */
export type AuthorizeKey = (action: KeyAction, keyArn: string) => void | Promise<void>;

/** Under whose permissions keys are used; whoever leaves it out acts for the service itself. */
export interface KeyAccess {
  readonly authorizeKey?: AuthorizeKey | undefined;
}

/** How an object is to be encrypted. */
export interface EncryptionRequest extends KeyAccess {
  /** A key's id, ARN or alias; the account's own key for S3 if not given. */
  readonly keyId?: string | undefined;
}

/** The key that an object is encrypted under. */
export interface ObjectEncryption {
  readonly keyArn: string;
}

/** What a key is used for: a wrapped key opens for the same context alone. */
export type EncryptionContext = Readonly<Record<string, string>>;

/** A key for one object: 32 bytes in clear, and as they may be kept. */
export interface DataKey {
  readonly keyArn: string;
  readonly plaintext: Buffer;
  /** Base64. */
  readonly wrapped: string;
}

/** Who makes and opens the keys of objects. Errors are worded for the one who asked. */
export interface ObjectKeys {
  generateDataKey(request: EncryptionRequest, context: EncryptionContext): Promise<DataKey>;
  unwrapDataKey(
    keyArn: string,
    wrapped: string,
    context: EncryptionContext,
    access: KeyAccess,
  ): Promise<Buffer>;
}

/** What S3 gives KMS as the context of an object's key: the object's ARN. */
export function contextOfObject(bucket: string, key: string): EncryptionContext {
  return { 'aws:s3:arn': `arn:aws:s3:::${bucket}/${key}` };
}
