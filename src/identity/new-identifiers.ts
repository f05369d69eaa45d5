import { randomBytes, randomInt } from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** 16 characters behind the prefix: 80 bits. */
const RANDOM_CHARACTERS = 16;
/** 30 random bytes make the 40 base64 characters that AWS secrets have. */
const SECRET_BYTES = 30;

/**
 * The prefixes that AWS gives its unique identifiers.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
 */
const ID_PREFIXES = {
  accessKey: 'AKIA',
  temporaryAccessKey: 'ASIA',
  user: 'AIDA',
  role: 'AROA',
} as const;

/** A new identifier, unique over time. */
export function newIdentifier(kind: keyof typeof ID_PREFIXES): string {
  let text: string = ID_PREFIXES[kind];
  for (let index = 0; index < RANDOM_CHARACTERS; index += 1) {
    text += ALPHABET.charAt(randomInt(ALPHABET.length));
  }
  return text;
}

/** A new secret of an access key, in base64. */
export function newSecret(): string {
  return randomBytes(SECRET_BYTES).toString('base64');
}
