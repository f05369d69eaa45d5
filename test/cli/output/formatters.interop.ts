/**
 * Thousands of values, made at random and made to be awkward, through the AWS CLI's own formatters
 * and through ours, and queries through its JMESPath and through ours.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { printValue } from '#burnish/cli/output/print-output.js';
import { compileQuery } from '#burnish/cli/output/query.js';
import { parseWireJson } from '#burnish/cli/output/wire-value.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { findAwsCli } from '../differential/programs.js';
import { FORMATS } from './responses.js';

const found = findAwsCli();
const python = typeof found === 'string' ? undefined : found.python;
if (python === undefined)
  console.warn('SKIPPED: the AWS CLI’s own formatters can’t be called here');

interface FormatterCase {
  /** JSON text, so that both sides read the same numbers. */
  readonly json: string;
  readonly format: (typeof FORMATS)[number];
  readonly query?: string;
}

type Result = { readonly stdout: string } | { readonly error: string } | { readonly crash: string };

function theirs(cases: readonly FormatterCase[]): readonly Result[] {
  const input = cases.map(
    ({ json, format, query }) =>
      `{"value": ${json}, "format": "${format}"${query === undefined ? '' : `, "query": ${JSON.stringify(query)}`}}`,
  );
  const { stdout, stderr } = spawnSync(
    python ?? '',
    [join(import.meta.dirname, 'aws_formatter.py')],
    { input: `[${input.join(',')}]`, encoding: 'utf8', maxBuffer: 2 ** 30 },
  );
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

async function ours({ json, format, query }: FormatterCase): Promise<Result> {
  const stdout = new PassThrough();
  const printed = buffer(stdout);
  try {
    await printValue(
      'Title',
      parseWireJson(json),
      {
        output: format,
        color: 'off',
        timestampFormat: 'iso8601',
        pager: { command: undefined, isDefault: false },
        ...(query === undefined ? {} : { query: compileQuery(query) }),
      },
      stdout,
    );
    return { stdout: '' };
  } catch (error) {
    return { error: String(error) };
  } finally {
    stdout.end();
    lastPrinted = (await printed).toString('utf8');
  }
}

let lastPrinted = '';

async function compare(cases: readonly FormatterCase[]): Promise<void> {
  const expected = theirs(cases);
  for (const [index, one] of cases.entries()) {
    const result = await ours(one);
    const actual = 'error' in result ? result : { stdout: lastPrinted };
    const wanted = expected[index] ?? { error: 'no result' };
    if ('crash' in wanted) continue;
    const what = JSON.stringify(one);
    // What can't be printed is worded differently, but refused by both.
    if ('error' in wanted) expect('error' in actual, `${what}: ${wanted.error}`).toBe(true);
    else expect(actual, what).toEqual(wanted);
  }
}

const FRAGMENTS = [
  'a', 'Key', 'yes', 'null', '~', '12', '1.5', '-', '- ', ': ', ':', '#', ' #', ' ', '  ', '\n', '\n\n',
  '\t', "'", '"', '\\', '{', '[', ',', '&', '*', '!', '%', '@', '`', '日本', 'é', '😀', '…', '\u0007',
  '\u0085', '\u2028', '\ufeff', 'word ', 'a longer piece of text ', 's3://bucket/key', '2024-01-01',
]; // biome-ignore format: a table of fragments

const NUMBERS = [
  '0',
  '-1',
  '7',
  '1.0',
  '0.1',
  '1e21',
  '1e-7',
  '123456789012345678901',
  '1700000000.123',
];

function randomValue(random: () => number, depth: number): unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const phrase = () =>
    Array.from({ length: Math.floor(random() * 8) }, () => pick(FRAGMENTS)).join('');
  const kind = random();
  if (depth > 0 && kind < 0.3) {
    const names = Array.from({ length: Math.floor(random() * 5) }, (_, index) =>
      random() < 0.7 ? `Name${index}` : `${phrase()}k${index}`,
    );
    return Object.fromEntries(names.map((name) => [name, randomValue(random, depth - 1)]));
  }
  if (depth > 0 && kind < 0.55) {
    const element = () => randomValue(random, depth - 1);
    return Array.from({ length: Math.floor(random() * 4) }, element);
  }
  if (kind < 0.62) return pick([true, false, null]);
  return kind < 0.72 ? { number: pick(NUMBERS) } : phrase();
}

/** JSON in which `{number: TEXT}` stands for the number that is written so. */
const toJson = (value: unknown): string =>
  JSON.stringify(value).replace(/\{"number":"([^"]+)"\}/g, '$1');

describe.skipIf(python === undefined)('the formatters', () => {
  it.each(FORMATS)('print random values as %s', async (format) => {
    const random = seededRandom(FORMATS.indexOf(format) + 1);
    const values = Array.from({ length: 1500 }, () => toJson({ V: randomValue(random, 4) }));
    await compare(
      values.map((json, index) => ({ json, format, ...(index % 2 === 0 ? { query: 'V' } : {}) })),
    );
  });

  const DATA = JSON.stringify({
    list: [
      { n: 1, s: 'b', t: '2024-01-02', l: [1, 2], o: { x: null } },
      { n: 2.5, s: 'a', t: '2023-01-02', l: [] },
      { s: 'c', n: null, l: [3], o: { x: 'y' } },
    ],
    empty: {},
    zero: 0,
    no: false,
    'odd key': 'v',
  });

  const STEPS = [
    'list', '[0]', '[-1]', '[*]', '[]', '[1:]', '[::-1]', '.n', '.s', '.l', '.o.x', '.*', '[?n]', '[?!n]',
    '[?n>`1`]', '[?n<=`1`]', "[?s=='a']", "[?t>='2023-06-01']", '[?o.x!=null]', '.{A:s,B:n}', '.[s,n]',
    ' | [0]', ' | length(@)', ' | sort_by(@, &s)', ' | keys(@)', ' | to_string(@)', ' | type(@)', ' || zero',
    ' && no', ' | reverse(@)', ' | max_by(@, &s)', ' | map(&s, @)', ' | not_null(@)', ' | to_array(@)', ' | [@, @]',
  ]; // biome-ignore format: a table of steps

  it('select with random queries', async () => {
    const random = seededRandom(99);
    const queries = Array.from({ length: 3000 }, () => {
      const count = 1 + Math.floor(random() * 5);
      const steps = Array.from({ length: count }, () => STEPS[Math.floor(random() * STEPS.length)]);
      return `${random() < 0.8 ? 'list' : '@'}${steps.join('')}`;
    });
    // The AWS CLI's JMESPath makes no projection of a slice of an element, against the specification.
    const specified = queries.filter((query) => !/\[-?\d+\]\[[-\d]*:/.test(query));
    await compare(
      specified.map((query, index) => ({
        json: DATA,
        query,
        format: FORMATS[index % FORMATS.length] ?? 'json',
      })),
    );
  });
});
