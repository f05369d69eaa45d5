import { type MasterKey, MasterKeyError } from '../encryption/master-key.js';

const PURPOSE = 'session token';
/** Longer than any that is made here. */
const MAX_TOKEN_CHARACTERS = 32_768;

/** A session of a role. The service keeps no record of it: the token is one, sealed. */
export interface SessionRecord {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly roleName: string;
  /** A role that was deleted and made again under the same name is another one. */
  readonly roleId: string;
  readonly sessionName: string;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly sessionPolicy?: string | undefined;
}

/** The token of a session, which `openSession` of any node with the same master key takes. */
export function sealSession(masterKey: MasterKey, session: SessionRecord): string {
  return masterKey.seal(PURPOSE, Buffer.from(JSON.stringify(session)));
}

/** @returns undefined when the token is not one that this service made */
export function openSession(masterKey: MasterKey, token: string): SessionRecord | undefined {
  if (token.length > MAX_TOKEN_CHARACTERS) return undefined;
  try {
    return JSON.parse(masterKey.open(PURPOSE, token).toString('utf8')) as SessionRecord;
  } catch (error) {
    if (error instanceof MasterKeyError) return undefined;
    throw error;
  }
}
