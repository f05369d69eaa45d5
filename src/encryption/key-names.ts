import { KeyError } from './key-error.js';

/** Whose keys these are. */
export interface KeyOwner {
  readonly region: string;
  readonly accountId: string;
}

/** What a caller names a key by. */
export type KeyName =
  | { readonly kind: 'id'; readonly id: string }
  | { readonly kind: 'alias'; readonly name: string };

const KEY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ALIAS = /^alias\/[a-zA-Z0-9/_-]{1,250}$/;
const KMS_ARN = /^arn:aws[a-z-]*:kms:([a-z0-9-]+):(\d{12}):(.+)$/;

/** What begins like this is AWS's own: no caller makes or moves it. */
const RESERVED_ALIAS = 'alias/aws/';

export const keyArn = ({ region, accountId }: KeyOwner, id: string): string =>
  `arn:aws:kms:${region}:${accountId}:key/${id}`;

export const aliasArn = ({ region, accountId }: KeyOwner, name: string): string =>
  `arn:aws:kms:${region}:${accountId}:${name}`;

/**
 * Reads a key's id, its ARN, an alias, or an alias's ARN.
 * @throws KeyError NotFoundException for what can be no key of this owner
 */
export function parseKeyName(owner: KeyOwner, text: string): KeyName {
  const match = KMS_ARN.exec(text);
  if (match !== null) {
    const [, region, accountId, resource = ''] = match;
    const foreign = region !== owner.region || accountId !== owner.accountId;
    if (resource.startsWith('alias/')) {
      if (foreign) throw aliasNotFound(text);
      return { kind: 'alias', name: resource };
    }
    const id = resource.startsWith('key/') ? resource.slice('key/'.length) : '';
    if (foreign || !KEY_ID.test(id)) throw keyNotFound(text);
    return { kind: 'id', id };
  }
  if (text.startsWith('alias/')) return { kind: 'alias', name: text };
  if (KEY_ID.test(text)) return { kind: 'id', id: text };
  throw new KeyError('NotFoundException', `Invalid keyId ${text}`);
}

/** @throws KeyError for a name that a caller can't give to a key */
export function checkAliasName(name: string): void {
  if (!name.startsWith('alias/') || !ALIAS.test(name)) {
    throw new KeyError(
      'InvalidAliasNameException',
      'An alias is alias/ and then 1 to 250 letters, digits, hyphens, underscores and slashes.',
    );
  }
  if (name.startsWith(RESERVED_ALIAS)) {
    throw new KeyError(
      'InvalidAliasNameException',
      `An alias can't begin with ${RESERVED_ALIAS}, which is reserved for the account's own keys.`,
    );
  }
}

export const keyNotFound = (arn: string): KeyError =>
  new KeyError('NotFoundException', `Key '${arn}' does not exist`);

export const aliasNotFound = (arn: string): KeyError =>
  new KeyError('NotFoundException', `Alias ${arn} is not found.`);
