import { describe, expect, it } from 'vitest';
import {
  type PaginationModel,
  type PagingOptions,
  paginate,
} from '#burnish/cli/commands/pagination/paginate.js';
import {
  decodeResumeToken,
  encodeResumeToken,
} from '#burnish/cli/commands/pagination/resume-token.js';
import type { InputObject } from '#burnish/cli/input/input-value.js';
import { OPERATIONS } from '#burnish/service-model/operations.js';
import type { JsonValue } from '#burnish/service-model/read-value.js';
import { fc } from '../../support/properties.js';

const MODEL: PaginationModel = {
  inputToken: 'NextToken',
  outputToken: 'NextToken',
  limitKey: 'MaxResults',
  resultKey: 'OptimizationJobSummaries',
};

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('the resume token', () => {
  it('is encoded byte for byte as the AWS CLI encodes it', () => {
    expect(encodeResumeToken('NextToken', undefined, 2)).toBe(
      base64('{"NextToken": null, "boto_truncate_amount": 2}'),
    );
    expect(encodeResumeToken('NextToken', 'é"', undefined)).toBe(
      base64('{"NextToken": "\\u00e9\\""}'),
    );
  });

  it('says where it was made', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.nat(), (token, skip) => {
        fc.pre(token !== 'None');
        expect(decodeResumeToken('NextToken', encodeResumeToken('NextToken', token, skip))).toEqual(
          {
            parameters: { NextToken: token },
            skip,
          },
        );
      }),
    );
    expect(decodeResumeToken('NextToken', encodeResumeToken('NextToken', undefined, 3))).toEqual({
      parameters: {},
      skip: 3,
    });
  });

  it.each([
    ['service-token', { NextToken: 'service-token' }, 0],
    ['service-token___3', { NextToken: 'service-token' }, 3],
    ['None___3', {}, 3],
    ['a___b', { NextToken: 'a___b' }, 0],
    ['', { NextToken: '' }, 0],
  ])('may be an older form, or the service’s own: %j', (text, parameters, skip) => {
    expect(decodeResumeToken('NextToken', text)).toEqual({ parameters, skip });
  });

  it('is refused where it has too many parts', () => {
    expect(() => decodeResumeToken('NextToken', 'a___b___c')).toThrow(
      expect.objectContaining({ exitStatus: 255, message: 'Bad starting token: a___b___c' }),
    );
  });
});

/** A service with items 0 … count-1 whose tokens are the index of the next page's first item. */
function service(count: number, defaultPageSize: number) {
  const requests: JsonValue[] = [];
  const send = async (request: JsonValue) => {
    requests.push(request);
    const { NextToken, MaxResults } = request as { NextToken?: string; MaxResults?: number };
    const start = Number(NextToken ?? 0);
    const end = Math.min(count, start + (MaxResults ?? defaultPageSize));
    return {
      OptimizationJobSummaries: Array.from({ length: end - start }, (_, index) => start + index),
      ...(end < count ? { NextToken: String(end) } : {}),
    };
  };
  return { requests, send };
}

async function run(
  send: (request: JsonValue) => Promise<JsonValue>,
  options: PagingOptions,
  input: InputObject = {},
) {
  const shape = OPERATIONS.ListOptimizationJobs.input;
  const response = paginate(MODEL, shape, input, options, send);
  const items: unknown[] = [];
  for await (const page of response.pages()) {
    items.push(...(page.OptimizationJobSummaries as readonly unknown[]));
  }
  return { items, token: response.resumeToken() };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('pages', () => {
  it('are asked for until there are no more, with the same parameters', async () => {
    const { requests, send } = service(5, 2);
    const { items, token } = await run(send, {}, { NameContains: 'a' });
    expect(items).toEqual(upTo(5));
    expect(token).toBeUndefined();
    expect(requests).toEqual([
      { NameContains: 'a' },
      { NameContains: 'a', NextToken: '2' },
      { NameContains: 'a', NextToken: '4' },
    ]);
  });

  it('are of the size that is asked for', async () => {
    const { requests, send } = service(3, 2);
    await run(send, { pageSize: 1 });
    expect(requests).toHaveLength(3);
    expect(requests[2]).toEqual({ MaxResults: 1, NextToken: '2' });
  });

  it('stop at a boundary with the token of the next page, inside a page with a count', async () => {
    const { send } = service(5, 2);
    expect((await run(send, { maxItems: 2 })).token).toBe(base64('{"NextToken": "2"}'));
    expect((await run(send, { maxItems: 3 })).token).toBe(
      base64('{"NextToken": "2", "boto_truncate_amount": 1}'),
    );
    expect((await run(send, { maxItems: 0 })).token).toBe(
      base64('{"NextToken": null, "boto_truncate_amount": 0}'),
    );
    expect((await run(send, { maxItems: 5 })).token).toBeUndefined();
  });

  it('give every item once, however often the listing is cut and taken up', async () => {
    const size = fc.integer({ min: 1, max: 7 });
    await fc.assert(
      fc.asyncProperty(fc.nat(20), size, size, async (count, pageSize, maxItems) => {
        const { send } = service(count, pageSize);
        const all: unknown[] = [];
        let startingToken: string | undefined;
        do {
          const part = await run(send, { maxItems, ...(startingToken && { startingToken }) });
          expect(part.items.length).toBeLessThanOrEqual(maxItems);
          all.push(...part.items);
          startingToken = part.token;
        } while (startingToken !== undefined);
        expect(all).toEqual(upTo(count));
      }),
    );
  });

  it('are validated before they are asked for', async () => {
    const { requests, send } = service(1, 1);
    await expect(run(send, { pageSize: 0 })).rejects.toThrow(
      'Invalid value for parameter MaxResults, value: 0, valid min value: 1',
    );
    expect(requests).toEqual([]);
  });

  it('do not go round in circles', async () => {
    const send = async () => ({ OptimizationJobSummaries: [], NextToken: 'same' });
    await expect(run(send, {})).rejects.toThrow(
      "The same next token was received twice: {'NextToken': 'same'}",
    );
  });
});
