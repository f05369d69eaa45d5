/**
 * The token that says where a cut listing goes on, in the AWS CLI's own encoding, so that either
 * program takes up what the other left: base64 of JSON with the service's token of the page and,
 * where the cut is inside the page, how many of its items were printed already.
 */

import { type InputObject, type InputValue, isInputObject } from '../../input/input-value.js';
import { parseJson } from '../../input/parse-json.js';
import { CliError, EXIT_STATUS } from '../../output/errors.js';

const SKIP_KEY = 'boto_truncate_amount';

export interface ResumePoint {
  /** The service's token, under the name of the input member that takes it. */
  readonly parameters: InputObject;
  /** How many items of that page to leave out. */
  readonly skip: number;
}

/** @param skip undefined where the listing goes on at the start of a page. */
export function encodeResumeToken(
  inputToken: string,
  token: string | undefined,
  skip: number | undefined,
): string {
  const skipped = skip === undefined ? '' : `, "${SKIP_KEY}": ${skip}`;
  const json = `{"${inputToken}": ${asciiJson(token ?? null)}${skipped}}`;
  return Buffer.from(json).toString('base64');
}

/**
 * Reads such a token, an old one of the form `TOKEN___SKIP`, or a token of the service itself.
 *
 * @throws CliError where it is none of these.
 */
export function decodeResumeToken(inputToken: string, text: string): ResumePoint {
  const decoded = decodeJson(text);
  if (decoded === undefined) return decodeOldToken(inputToken, text);
  const { [SKIP_KEY]: skip, ...parameters } = decoded;
  return { parameters: withoutNone(parameters), skip: Number(skip ?? 0) };
}

function decodeJson(text: string): InputObject | undefined {
  const bytes = Buffer.from(text, 'base64');
  let value: InputValue;
  try {
    value = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  return isInputObject(value) ? value : undefined;
}

function decodeOldToken(inputToken: string, text: string): ResumePoint {
  const [token, skip, ...more] = text.split('___');
  if (more.length > 0) throw new CliError(`Bad starting token: ${text}`, EXIT_STATUS.failure);
  if (skip !== undefined && /^\d+$/.test(skip)) {
    return { parameters: withoutNone({ [inputToken]: token ?? '' }), skip: Number(skip) };
  }
  return { parameters: withoutNone({ [inputToken]: text }), skip: 0 };
}

/** The first page has no token; old tokens spell that `None`. */
const withoutNone = (parameters: InputObject): InputObject =>
  Object.fromEntries(
    Object.entries(parameters).filter(([, token]) => token !== null && token !== 'None'),
  );

/** JSON with everything but ASCII escaped, as the AWS CLI writes it. */
const asciiJson = (value: string | null): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
