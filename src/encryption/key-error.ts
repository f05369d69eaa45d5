/** AWS KMS's codes for what can't be done with a key. */
export type KeyErrorCode =
  | 'AlreadyExistsException'
  | 'DisabledException'
  | 'IncorrectKeyException'
  | 'InvalidAliasNameException'
  | 'InvalidArnException'
  | 'InvalidCiphertextException'
  | 'KMSInvalidStateException'
  | 'NotFoundException'
  | 'ValidationException';

/** What a named key can't do, in AWS KMS's words. */
export class KeyError extends Error {
  override readonly name = 'KeyError';

  constructor(
    readonly code: KeyErrorCode,
    message: string,
  ) {
    super(message);
  }
}
