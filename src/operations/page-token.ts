import { createHash } from 'node:crypto';
import { validationError } from '../service-model/errors.js';

/** What a page token says: where to go on, and of which question it is the answer. */
interface TokenContent {
  readonly position: unknown;
  readonly question: string;
}

/** Makes the token with which the page behind `position` is asked for. */
export function writePageToken(position: unknown, question: unknown): string {
  const content: TokenContent = { position, question: fingerprint(question) };
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

/**
 * Reads a token back. Nothing but the question's fingerprint ties it to an answer, so anyone can write one.
 *
 * @param isPosition whether the answer to the question can go on there
 * @throws ServiceError `ValidationException` when it is not one of ours, or belongs to other filters
 */
export function readPageToken<Position>(
  token: string,
  question: unknown,
  isPosition: (position: unknown) => position is Position,
): Position {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
  } catch {
    content = undefined;
  }
  const { position, question: asked } = (content ?? {}) as Partial<TokenContent>;
  if (!isPosition(position) || asked !== fingerprint(question)) {
    throw validationError(
      'The NextToken is not valid. Give back the NextToken of the last answer, unchanged, with the same filters and order.',
    );
  }
  return position;
}

/** A page that goes on behind a name. */
export const isName = (position: unknown): position is string => typeof position === 'string';

const fingerprint = (question: unknown) =>
  createHash('sha256').update(JSON.stringify(question)).digest('base64url').slice(0, 16);
