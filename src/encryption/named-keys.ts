import { randomBytes, randomUUID } from 'node:crypto';
import type {
  AuthorizeKey,
  DataKey,
  EncryptionContext,
  EncryptionRequest,
  KeyAccess,
  ObjectKeys,
} from '../objects/encrypted-files/object-keys.js';
import { AliasExistsError, type KeyRecord, type KeyStore } from '../store/key-store.js';
import { KeyAliases } from './key-aliases.js';
import { KeyError } from './key-error.js';
import {
  aliasArn,
  aliasNotFound,
  type KeyOwner,
  keyArn,
  keyNotFound,
  parseKeyName,
} from './key-names.js';
import type { MasterKey } from './master-key.js';
import { invalidCiphertext, unwrap, type WrappingKey, wrap, wrappedUnder } from './wrapping.js';

/** AES-256. */
const KEY_BYTES = 32;
/** What KMS takes for one Encrypt. */
const MAX_PLAINTEXT_BYTES = 4096;
/** The key of objects whose writer asks for encryption and names no key. */
const DEFAULT_ALIAS = 'alias/aws/s3';

/** KMS's bounds on the days until a key is deleted. */
const MIN_DELETION_DAYS = 7;
const MAX_DELETION_DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion';

export interface KeyDescription {
  readonly id: string;
  readonly arn: string;
  readonly description: string;
  readonly state: KeyState;
  readonly createdAt: Date;
  readonly deletionDate: Date | undefined;
}

/**
 * Named keys as AWS KMS has them. Their bytes are in the record of the service, sealed under the
 * master key, and never leave: what they encrypt is small, and mostly the data keys of objects.
 */
export class NamedKeys implements ObjectKeys {
  readonly aliases: KeyAliases;

  constructor(
    private readonly store: KeyStore,
    private readonly masterKey: MasterKey,
    private readonly owner: KeyOwner,
    private readonly now: () => number = Date.now,
  ) {
    const idOf = async (name: string): Promise<string> => (await this.find(name)).id;
    this.aliases = new KeyAliases({ store, owner, now, idOf });
  }

  async create(description = ''): Promise<KeyDescription> {
    const { key, version } = this.newKey(description);
    await this.store.create(key, version);
    return this.describeRecord(key);
  }

  /** @throws KeyError NotFoundException */
  async describe(name: string): Promise<KeyDescription> {
    return this.describeRecord(await this.find(name));
  }

  /** A page of keys, and the `after` of the next one if there is more. */
  async list(after = '', limit = 100) {
    const records = await this.store.list(after, limit + 1);
    const page = records.slice(0, limit).map((record) => this.describeRecord(record));
    return { keys: page, next: records.length > limit ? page.at(-1)?.id : undefined };
  }

  /** @throws KeyError for a key that is to be deleted, or that is not there */
  async setEnabled(name: string, enabled: boolean): Promise<void> {
    const record = await this.find(name);
    if (record.state === 'PendingDeletion') throw this.pendingDeletion(record.id);
    await this.store.setState(record.id, enabled ? 'Enabled' : 'Disabled', null);
  }

  /**
   * Gives a key new bytes. What was encrypted before is still opened with the old ones.
   * @returns the number of the new version
   */
  async rotate(name: string): Promise<number> {
    const record = await this.find(name);
    this.checkUsable(record);
    const newest = await this.store.version(record.id);
    const version = (newest?.version ?? 0) + 1;
    await this.store.addVersion(this.newVersion(record.id, version));
    return version;
  }

  /** Disables a key now, and deletes it some days later with all that it could open. */
  async scheduleDeletion(name: string, days: number): Promise<KeyDescription> {
    if (!Number.isInteger(days) || days < MIN_DELETION_DAYS || days > MAX_DELETION_DAYS) {
      throw new KeyError(
        'ValidationException',
        `PendingWindowInDays must be between ${MIN_DELETION_DAYS} and ${MAX_DELETION_DAYS} days.`,
      );
    }
    const record = await this.find(name);
    if (record.state === 'PendingDeletion') throw this.pendingDeletion(record.id);
    await this.store.setState(record.id, 'PendingDeletion', this.now() + days * DAY_MS);
    return this.describe(record.id);
  }

  /** Keeps a key that was to be deleted; it is disabled then, as in KMS. */
  async cancelDeletion(name: string): Promise<void> {
    const record = await this.find(name);
    if (record.state !== 'PendingDeletion') {
      throw new KeyError(
        'KMSInvalidStateException',
        `${this.arn(record.id)} is not pending deletion.`,
      );
    }
    await this.store.setState(record.id, 'Disabled', null);
  }

  /** Removes keys whose time is over. @returns their ARNs */
  async removeDue(): Promise<readonly string[]> {
    return (await this.store.removeDue(this.now())).map((id) => this.arn(id));
  }

  /**
   * The ARN of a key that can be used now.
   * @throws KeyError NotFoundException, DisabledException, KMSInvalidStateException
   */
  async resolveUsable(name: string): Promise<string> {
    const record = await this.find(name);
    this.checkUsable(record);
    return this.arn(record.id);
  }

  /** Encrypts a few bytes under the newest version of a key. */
  async encrypt(
    name: string,
    context: EncryptionContext,
    plaintext: Uint8Array,
    authorize?: AuthorizeNamedKey,
  ): Promise<{ readonly keyArn: string; readonly ciphertext: Buffer }> {
    if (plaintext.length > MAX_PLAINTEXT_BYTES) {
      throw new KeyError(
        'ValidationException',
        `At most ${MAX_PLAINTEXT_BYTES} bytes are encrypted.`,
      );
    }
    const record = await this.find(name);
    await authorize?.(this.arn(record.id));
    this.checkUsable(record);
    const ciphertext = wrap(await this.wrappingKey(record.id), context, plaintext);
    return { keyArn: this.arn(record.id), ciphertext };
  }

  /** Opens what `encrypt` made. */
  async decrypt(
    ciphertext: Buffer,
    context: EncryptionContext,
    authorize?: AuthorizeNamedKey,
  ): Promise<{ readonly keyArn: string; readonly plaintext: Buffer }> {
    const { id, version } = wrappedUnder(ciphertext);
    const record = await this.find(id);
    const arn = this.arn(id);
    await authorize?.(arn);
    this.checkUsable(record);
    const key = await this.wrappingKey(id, version);
    return { keyArn: arn, plaintext: unwrap(key, context, ciphertext) };
  }

  async generateDataKey(
    { keyId, authorizeKey }: EncryptionRequest,
    context: EncryptionContext,
  ): Promise<DataKey> {
    const plaintext = randomBytes(KEY_BYTES);
    const name = keyId ?? (await this.defaultKey());
    const { keyArn: arn, ciphertext } = await this.encrypt(
      name,
      context,
      plaintext,
      forAction('kms:GenerateDataKey', authorizeKey),
    );
    return { keyArn: arn, plaintext, wrapped: ciphertext.toString('base64') };
  }

  async unwrapDataKey(
    arn: string,
    wrapped: string,
    context: EncryptionContext,
    { authorizeKey }: KeyAccess,
  ): Promise<Buffer> {
    const blob = Buffer.from(wrapped, 'base64');
    // The ARN is what policies were asked about, so it has to be the key that is used.
    if (this.arn(wrappedUnder(blob).id) !== arn) throw keyNotFound(arn);
    const authorize = forAction('kms:Decrypt', authorizeKey);
    return (await this.decrypt(blob, context, authorize)).plaintext;
  }

  /** The account's own key for S3, which its first use makes. */
  private async defaultKey(): Promise<string> {
    const alias = await this.store.alias(DEFAULT_ALIAS);
    if (alias !== undefined) return alias.key_id;
    const { key, version } = this.newKey('Default key that protects S3 objects');
    const created = { name: DEFAULT_ALIAS, key_id: key.id, created_at: key.created_at };
    await this.store.create(key, version, created).catch((error: unknown) => {
      // Another request was faster; its key counts.
      if (!(error instanceof AliasExistsError)) throw error;
    });
    return DEFAULT_ALIAS;
  }

  /** @throws KeyError NotFoundException */
  private async find(name: string): Promise<KeyRecord> {
    const parsed = parseKeyName(this.owner, name);
    let id = parsed.kind === 'id' ? parsed.id : undefined;
    if (parsed.kind === 'alias') {
      id = (await this.store.alias(parsed.name))?.key_id;
      if (id === undefined) throw aliasNotFound(aliasArn(this.owner, parsed.name));
    }
    const record = await this.store.get(id ?? '');
    const gone = record?.deletion_at != null && record.deletion_at <= this.now();
    if (record === undefined || gone) throw keyNotFound(this.arn(id ?? ''));
    return record;
  }

  private checkUsable({ id, state }: KeyRecord): void {
    if (state === 'Disabled')
      throw new KeyError('DisabledException', `${this.arn(id)} is disabled.`);
    if (state === 'PendingDeletion') throw this.pendingDeletion(id);
  }

  private pendingDeletion(id: string): KeyError {
    return new KeyError('KMSInvalidStateException', `${this.arn(id)} is pending deletion.`);
  }

  private async wrappingKey(id: string, version?: number): Promise<WrappingKey> {
    const record = await this.store.version(id, version);
    if (record === undefined) throw invalidCiphertext();
    const secret = this.masterKey.open(purposeOf(id, record.version), record.sealed);
    return { id, version: record.version, secret };
  }

  private newKey(description: string) {
    const id = randomUUID();
    const key: KeyRecord = {
      id,
      description,
      state: 'Enabled',
      created_at: this.now(),
      deletion_at: null,
    };
    return { key, version: this.newVersion(id, 1) };
  }

  private newVersion(id: string, version: number) {
    return {
      key_id: id,
      version,
      sealed: this.masterKey.seal(purposeOf(id, version), randomBytes(KEY_BYTES)),
      created_at: this.now(),
    };
  }

  private describeRecord(record: KeyRecord): KeyDescription {
    const { id, description, state, created_at, deletion_at } = record;
    return {
      id,
      arn: this.arn(id),
      description,
      state: state as KeyState,
      createdAt: new Date(created_at),
      deletionDate: deletion_at === null ? undefined : new Date(deletion_at),
    };
  }

  private arn(id: string): string {
    return keyArn(this.owner, id);
  }
}

/** Asked once it is known which key a name means. */
type AuthorizeNamedKey = (keyArn: string) => void | Promise<void>;

function forAction(
  action: Parameters<AuthorizeKey>[0],
  authorize: AuthorizeKey | undefined,
): AuthorizeNamedKey | undefined {
  return authorize === undefined ? undefined : (arn) => authorize(action, arn);
}

const purposeOf = (id: string, version: number): string => `KMS key ${id} version ${version}`;
