import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode, writeFileDurably } from '../objects/durable-files.js';

/** AES-256. */
const KEY_BYTES = 32;
/** The nonce of AES-GCM as NIST SP 800-38D recommends it. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const PRIVATE_MODE = 0o600;
const BASE64_KEY = /^[A-Za-z0-9+/]{43}=$/;

/** The master key is missing, malformed, or not the one that a secret was sealed with. */
export class MasterKeyError extends Error {
  override readonly name = 'MasterKeyError';
}

/**
 * The key that everything secret in the record of the service is sealed under. It is kept outside the
 * record, so that a copy of the database gives nothing away.
 */
export class MasterKey {
  constructor(private readonly key: Uint8Array) {
    if (key.length !== KEY_BYTES) {
      throw new MasterKeyError(`a master key has ${KEY_BYTES} bytes, this one has ${key.length}`);
    }
  }

  /**
   * Encrypts with AES-256-GCM under a key of its own for each purpose (HKDF-SHA-256, RFC 5869).
   * @param purpose what the secret is, and whose: the same must be given to open it
   * @returns nonce, ciphertext and tag, in base64
   */
  seal(purpose: string, secret: Uint8Array): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.keyFor(purpose), nonce);
    const sealed = Buffer.concat([cipher.update(secret), cipher.final()]);
    return Buffer.concat([nonce, sealed, cipher.getAuthTag()]).toString('base64');
  }

  /** @throws MasterKeyError when it was sealed under another key or for another purpose, or was changed */
  open(purpose: string, sealed: string): Buffer {
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes.length < NONCE_BYTES + TAG_BYTES) {
      throw new MasterKeyError(`the sealed ${purpose} is too short to be one`);
    }
    const decipher = createDecipheriv(
      'aes-256-gcm',
      this.keyFor(purpose),
      bytes.subarray(0, NONCE_BYTES),
    );
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    try {
      const body = bytes.subarray(NONCE_BYTES, bytes.length - TAG_BYTES);
      return Buffer.concat([decipher.update(body), decipher.final()]);
    } catch {
      throw new MasterKeyError(
        `the ${purpose} was sealed under another master key; start the service with the one it was made with`,
      );
    }
  }

  private keyFor(purpose: string): Uint8Array {
    return new Uint8Array(hkdfSync('sha256', this.key, '', `burnish ${purpose}`, KEY_BYTES));
  }
}

export interface MasterKeySources {
  /** The key itself, in base64: `BURNISH_MASTER_KEY`. */
  readonly key?: string | undefined;
  /** A file with the key in base64: `BURNISH_MASTER_KEY_FILE`; `DATA/master-key` if not given. */
  readonly file?: string | undefined;
}

/**
 * Reads the master key: from the environment, from a named file, or from `DATA/master-key`, which the
 * first start makes. Keep a copy of it elsewhere: without it, what was sealed stays sealed.
 *
 * @throws MasterKeyError naming where the key came from
 */
export async function loadOrCreateMasterKey(
  dataDir: string,
  sources: MasterKeySources = {},
): Promise<MasterKey> {
  if (sources.key !== undefined) return parseKey(sources.key, 'BURNISH_MASTER_KEY');
  if (sources.file !== undefined) return parseKey(await readKey(sources.file), sources.file);
  const file = join(dataDir, 'master-key');
  try {
    return parseKey(await readFile(file, 'utf8'), file);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
  await writeFileDurably(file, `${randomBytes(KEY_BYTES).toString('base64')}\n`, {
    mode: PRIVATE_MODE,
    exclusive: true,
  }).catch((error: unknown) => {
    // Another process of the service was faster; its key counts.
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  });
  return parseKey(await readFile(file, 'utf8'), file);
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new MasterKeyError(`the master key can't be read: ${(error as Error).message}`);
  }
}

function parseKey(text: string, source: string): MasterKey {
  const trimmed = text.trim();
  if (!BASE64_KEY.test(trimmed)) {
    throw new MasterKeyError(
      `${source} does not hold a master key: ${KEY_BYTES} bytes in base64, as from \`openssl rand -base64 ${KEY_BYTES}\``,
    );
  }
  return new MasterKey(Buffer.from(trimmed, 'base64'));
}
