/** What the AWS CLI printed, printed again. `outputs.interop.ts` makes the record. */
import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { printOutput } from '#burnish/cli/output/print-output.js';
import { compileQuery } from '#burnish/cli/output/query.js';
import { isWireObject, parseWireJson, type WireObject } from '#burnish/cli/output/wire-value.js';
import { OPERATIONS } from '#burnish/service-model/operations.js';
import { RECORD, RESPONSES, type RecordedOutput } from './responses.js';

process.env.TZ = 'UTC';

const record: readonly RecordedOutput[] = JSON.parse(readFileSync(RECORD, 'utf8'));

const OPERATION_NAMES: Readonly<Record<string, keyof typeof OPERATIONS>> = {
  'describe-optimization-job': 'DescribeOptimizationJob',
  'list-optimization-jobs': 'ListOptimizationJobs',
  'list-tags': 'ListTags',
  'stop-optimization-job': 'StopOptimizationJob',
};

function structure(body: string): WireObject {
  const value = parseWireJson(body === '' ? '{}' : body);
  if (!isWireObject(value)) throw new Error(`${body} is no structure`);
  return value;
}

async function print({ response, format, query }: RecordedOutput): Promise<string> {
  const recorded = RESPONSES[response];
  const [command = '', ...options] = recorded?.args ?? [];
  const bodies = (recorded?.pages ?? []).map(structure);
  const operation = OPERATION_NAMES[command] ?? 'ListTags';
  const { pagination } = OPERATIONS[operation] as {
    readonly pagination?: { readonly resultKey: string };
  };
  const isPaged = pagination !== undefined && !options.includes('--no-paginate');
  async function* pages() {
    yield* bodies;
  }
  const stdout = new PassThrough();
  const printed = text(stdout);
  await printOutput(
    operation,
    isPaged
      ? { resultKey: pagination.resultKey, pages, resumeToken: () => undefined }
      : (bodies[0] ?? {}),
    {
      output: format,
      color: 'off',
      timestampFormat: 'iso8601',
      pager: { command: undefined, isDefault: false },
      ...(query === undefined ? {} : { query: compileQuery(query) }),
    },
    stdout,
  );
  stdout.end();
  return printed;
}

describe('what the AWS CLI printed', () => {
  // Cutting pages to --max-items is pagination's part, and tested there.
  const cases = record.filter(({ response }) => !RESPONSES[response]?.args.includes('--max-items'));

  it('is recorded in every format', () => {
    expect(cases.length).toBeGreaterThan(100);
    expect(new Set(cases.map(({ format }) => format)).size).toBe(5);
  });

  it.each(
    cases.map((one) => [`${one.response} as ${one.format}: ${one.query ?? 'everything'}`, one]),
  )('%s', async (_, one) => {
    expect(await print(one as RecordedOutput)).toBe((one as RecordedOutput).stdout);
  });
});
