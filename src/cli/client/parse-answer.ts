import { STATUS_CODES } from 'node:http';
import {
  isWireObject,
  parseWireJson,
  type WireObject,
  type WireValue,
} from '../output/wire-value.js';
import { ConnectionError, ServiceResponseError } from './errors.js';
import type { HttpAnswer } from './http-exchange.js';

/** Answers from this status on are errors; the protocol knows no redirects. */
const FIRST_ERROR_STATUS = 300;

export const isError = ({ status }: HttpAnswer): boolean => status >= FIRST_ERROR_STATUS;

/**
 * The value in the body of a good answer; an empty body is an empty structure.
 *
 * @throws ConnectionError where the body is not JSON.
 */
export function parseAnswer(answer: HttpAnswer, url: string): WireValue {
  if (answer.body === '') return {};
  try {
    return parseWireJson(answer.body);
  } catch (error) {
    throw new ConnectionError('unreadable', url, 'it is not JSON', { cause: error });
  }
}

/** The code and the sentence of an error, wherever the answer has them. */
export function parseError(answer: HttpAnswer): { readonly code: string; readonly reason: string } {
  const status = String(answer.status);
  if (answer.status >= 500 && /^\s*(?:<html|$)/i.test(answer.body)) {
    return { code: status, reason: STATUS_CODES[answer.status] ?? '' };
  }
  const body = errorBody(answer.body);
  const header = String(answer.headers['x-amzn-query-error'] ?? '').split(';');
  const named = header.length === 2 && header[0] ? header[0] : textOf(body.__type);
  return {
    // A code may have a namespace in front, and a URL behind.
    code: (named ?? status).replace(/^.*#/, '').replace(/:.*$/, ''),
    reason: textOf(body.message) ?? textOf(body.Message) ?? '',
  };
}

function errorBody(text: string): WireObject {
  if (text === '') return {};
  try {
    const body = parseWireJson(text);
    return isWireObject(body) ? body : {};
  } catch {
    return { message: text };
  }
}

const textOf = (value: WireValue | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** The error that an answer stands for.
 * @param retriesExhausted how often the request was sent again; set where the last try failed too */
export function serviceError(
  answer: HttpAnswer,
  operation: string,
  retriesExhausted: number | undefined,
): ServiceResponseError {
  const { code, reason } = parseError(answer);
  return new ServiceResponseError(code, reason, operation, answer.status, retriesExhausted);
}
