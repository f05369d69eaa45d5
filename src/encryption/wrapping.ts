import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { EncryptionContext } from '../objects/encrypted-files/object-keys.js';
import { KeyError } from './key-error.js';

/**
 * What a named key has encrypted: one byte for this form, the key's id (16 bytes) and version (4,
 * big-endian), a nonce, the ciphertext, the tag. AES-256-GCM; the associated data is everything
 * before the nonce and the encryption context, so that neither can be exchanged.
 */
const FORM = 1;
const ID_AT = 1;
const VERSION_AT = ID_AT + 16;
const NONCE_AT = VERSION_AT + 4;
const NONCE_BYTES = 12;
const BODY_AT = NONCE_AT + NONCE_BYTES;
const TAG_BYTES = 16;

const ALGORITHM = 'aes-256-gcm';

export interface WrappingKey {
  readonly id: string;
  readonly version: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** Encrypts a few bytes under a version of a named key. */
export function wrap(key: WrappingKey, context: EncryptionContext, secret: Uint8Array): Buffer {
  const head = Buffer.alloc(NONCE_AT);
  head.writeUInt8(FORM);
  Buffer.from(key.id.replaceAll('-', ''), 'hex').copy(head, ID_AT);
  head.writeUInt32BE(key.version, VERSION_AT);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.secret, nonce);
  cipher.setAAD(associatedData(head, context));
  const body = [cipher.update(secret), cipher.final()];
  return Buffer.concat([head, nonce, ...body, cipher.getAuthTag()]);
}

/** Which version of which key has encrypted this. @throws KeyError InvalidCiphertextException */
export function wrappedUnder(blob: Buffer): Pick<WrappingKey, 'id' | 'version'> {
  if (blob.length < BODY_AT + TAG_BYTES || blob[0] !== FORM) throw invalidCiphertext();
  const hex = blob.toString('hex', ID_AT, VERSION_AT);
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { id, version: blob.readUInt32BE(VERSION_AT) };
}

/** @throws KeyError InvalidCiphertextException when it was changed, or wrapped for something else */
export function unwrap(key: WrappingKey, context: EncryptionContext, blob: Buffer): Buffer {
  const nonce = blob.subarray(NONCE_AT, BODY_AT);
  const decipher = createDecipheriv(ALGORITHM, key.secret, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData(blob.subarray(0, NONCE_AT), context));
  decipher.setAuthTag(blob.subarray(blob.length - TAG_BYTES));
  try {
    const body = decipher.update(blob.subarray(BODY_AT, blob.length - TAG_BYTES));
    return Buffer.concat([body, decipher.final()]);
  } catch {
    throw invalidCiphertext();
  }
}

export const invalidCiphertext = (): KeyError =>
  new KeyError(
    'InvalidCiphertextException',
    'The ciphertext is not one of this key, was changed, or was made for another encryption context.',
  );

/** The context's entries in one order, whatever order the caller has them in. */
function associatedData(head: Uint8Array, context: EncryptionContext): Buffer {
  const entries = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.concat([head, Buffer.from(JSON.stringify(entries))]);
}
