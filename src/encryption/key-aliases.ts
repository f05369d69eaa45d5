import { AliasExistsError, type KeyStore } from '../store/key-store.js';
import { KeyError } from './key-error.js';
import { aliasArn, aliasNotFound, checkAliasName, type KeyOwner } from './key-names.js';

export interface AliasDescription {
  readonly name: string;
  readonly arn: string;
  readonly keyId: string;
  readonly createdAt: Date;
}

export interface KeyAliasesParts {
  readonly store: KeyStore;
  readonly owner: KeyOwner;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The id of the key that a name means; throws KeyError NotFoundException. */
  readonly idOf: (key: string) => Promise<string>;
}

/** Names that callers give to keys, and may give to other keys later. All throw KeyError. */
export class KeyAliases {
  constructor(private readonly parts: KeyAliasesParts) {}

  /** @throws KeyError AlreadyExistsException, InvalidAliasNameException, NotFoundException */
  async create(name: string, target: string): Promise<void> {
    const { store, now, idOf } = this.parts;
    checkAliasName(name);
    const id = await idOf(target);
    try {
      await store.addAlias({ name, key_id: id, created_at: now() });
    } catch (error) {
      if (!(error instanceof AliasExistsError)) throw error;
      throw new KeyError(
        'AlreadyExistsException',
        `An alias with the name ${this.arn(name)} already exists`,
      );
    }
  }

  /** Makes an alias the name of another key. */
  async update(name: string, target: string): Promise<void> {
    checkAliasName(name);
    const id = await this.parts.idOf(target);
    if (!(await this.parts.store.pointAlias(name, id))) throw aliasNotFound(this.arn(name));
  }

  async delete(name: string): Promise<void> {
    checkAliasName(name);
    if (!(await this.parts.store.removeAlias(name))) throw aliasNotFound(this.arn(name));
  }

  /** A page of aliases, of one key if it is given, and the `after` of the next page. */
  async list(after = '', limit = 100, key?: string) {
    const keyId = key === undefined ? undefined : await this.parts.idOf(key);
    const records = await this.parts.store.listAliases(after, limit + 1, keyId);
    const aliases = records.slice(0, limit).map(
      ({ name, key_id, created_at }): AliasDescription => ({
        name,
        arn: this.arn(name),
        keyId: key_id,
        createdAt: new Date(created_at),
      }),
    );
    return { aliases, next: records.length > limit ? aliases.at(-1)?.name : undefined };
  }

  private arn(name: string): string {
    return aliasArn(this.parts.owner, name);
  }
}
