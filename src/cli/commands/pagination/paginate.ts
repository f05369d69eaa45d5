import type { JsonValue } from '../../../service-model/read-value.js';
import type { StructureShape } from '../../../service-model/shape.js';
import type { InputObject } from '../../input/input-value.js';
import { toRequest } from '../../input/to-request.js';
import { CliError, EXIT_STATUS } from '../../output/errors.js';
import type { PagedResponse } from '../../output/print-output.js';
import {
  isWireList,
  isWireObject,
  type WireObject,
  type WireValue,
} from '../../output/wire-value.js';
import { decodeResumeToken, encodeResumeToken } from './resume-token.js';

/** The names of the members that make an operation's answer come in pages. */
export interface PaginationModel {
  readonly inputToken: string;
  readonly outputToken: string;
  readonly limitKey: string;
  readonly resultKey: string;
}

/** What the command line says about pages. */
export interface PagingOptions {
  readonly startingToken?: string;
  readonly pageSize?: number;
  readonly maxItems?: number;
}

/**
 * Asks for page after page until the service has no more or `maxItems` items have been passed on;
 * the page in which that happens is cut, and the resume token says where.
 *
 * @throws UsageError where a page's parameters do not fit, CliError where the service gives the
 * same token twice or the starting token is none.
 */
export function paginate(
  model: PaginationModel,
  shape: StructureShape,
  input: InputObject,
  { startingToken, pageSize, maxItems }: PagingOptions,
  send: (request: JsonValue) => Promise<WireValue>,
): PagedResponse {
  const { inputToken, outputToken, limitKey, resultKey } = model;
  let resumeToken: string | undefined;

  async function* pages(): AsyncGenerator<WireObject> {
    const start =
      startingToken === undefined ? undefined : decodeResumeToken(inputToken, startingToken);
    let parameters: InputObject = {
      ...input,
      ...start?.parameters,
      ...(pageSize === undefined ? {} : { [limitKey]: pageSize }),
    };
    let token = textOf(parameters[inputToken]);
    let previous: string | undefined;
    let skip = start?.skip ?? 0;
    let passed = 0;
    for (;;) {
      const answer = await send(toRequest(shape, parameters));
      const page: WireObject = isWireObject(answer) ? answer : {};
      const items = itemsOf(page, resultKey).slice(skip);
      const room = maxItems === undefined ? items.length : maxItems - passed;
      if (items.length > room) {
        resumeToken = encodeResumeToken(inputToken, token, room + skip);
        yield { ...page, [resultKey]: items.slice(0, room) };
        return;
      }
      yield skip === 0 ? page : { ...page, [resultKey]: items };
      passed += items.length;
      skip = 0;
      const next = textOf(page[outputToken]);
      if (next === undefined) return;
      if (passed === maxItems) {
        resumeToken = encodeResumeToken(inputToken, next, undefined);
        return;
      }
      if (next === previous) throw sameTokenTwice(inputToken, next);
      token = next;
      previous = next;
      parameters = { ...parameters, [inputToken]: next };
    }
  }

  return { resultKey, pages, resumeToken: () => resumeToken };
}

function itemsOf(page: WireObject, resultKey: string): readonly WireValue[] {
  const items = page[resultKey];
  return items !== undefined && isWireList(items) ? items : [];
}

/** An empty token means that there is no next page. */
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined;

const sameTokenTwice = (inputToken: string, token: string): CliError =>
  new CliError(
    `Error during pagination: The same next token was received twice: {'${inputToken}': '${token}'}`,
    EXIT_STATUS.failure,
  );
