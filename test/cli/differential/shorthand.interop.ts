/** Thousands of texts to the AWS CLI's shorthand parser and to ours: the same values and errors. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseShorthand } from '#burnish/cli/input/shorthand/parse-shorthand.js';
import { findAwsCli } from './programs.js';

const found = findAwsCli();
const python = typeof found === 'string' ? undefined : found.python;
if (python === undefined) {
  const reason = typeof found === 'string' ? found : 'the AWS CLI here is no Python script';
  console.warn(`SKIPPED: the comparison of shorthand parsers: ${reason}`);
}

const SAMPLES = 20_000;

type Result = { readonly value: unknown } | { readonly error: string };

function ourResult(text: string): Result {
  try {
    return { value: parseShorthand(text, (value) => value) };
  } catch (error) {
    return { error: (error as Error).message };
  }
}

/** No `@`: version 2.9.19, which may be what is installed, does not know `key@=file` yet. */
const word = fc.string({
  unit: fc.constantFrom(...'abXY019._-/:!#$%&()*+;<>?^`|~\\é中 '),
  maxLength: 6,
});
const space = fc.constantFrom('', '', '', ' ', '\n', '\t ');
const key = fc.string({ unit: fc.constantFrom(...'abAB12-_.#/:'), minLength: 1, maxLength: 4 });

const quoted = fc.constantFrom("'", '"').chain((quote) =>
  fc
    .array(fc.constantFrom('a', ' ', ',', '=', '\\\\', `\\${quote}`, '{', ']', '\n'), {
      maxLength: 5,
    })
    .map((pieces) => quote + pieces.join('') + quote),
);

const joined = (items: fc.Arbitrary<string>, minLength: number) =>
  fc
    .array(
      fc.tuple(space, items, space).map((parts) => parts.join('')),
      { minLength, maxLength: 3 },
    )
    .map((parts) => parts.join(','));

const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    quoted,
    joined(tie('value'), 0).map((items) => `[${items}]`),
    joined(
      fc.tuple(key, space, tie('value')).map(([name, gap, item]) => `${name}=${gap}${item}`),
      0,
    ).map((items) => `{${items}}`),
  ),
}));

const parameter = joined(
  fc.tuple(key, space, fc.oneof(value, joined(fc.oneof(word, quoted), 1))).map((parts) => {
    const [name, gap, item] = parts;
    return `${name}${gap}=${item}`;
  }),
  1,
);

const noise = fc.string({ unit: fc.constantFrom(...'ab=,[]{}\'"\\ \n:é', '😀', "\\'", '\\,') });

describe.skipIf(python === undefined)('shorthand', () => {
  it.each([
    ['that is well formed', parameter],
    ['that is not', noise],
  ])('%s means the same to both', (_title, texts) => {
    const samples = fc.sample(texts, SAMPLES);
    const oracle = spawnSync(python ?? '', [join(import.meta.dirname, 'shorthand_oracle.py')], {
      input: JSON.stringify(samples),
      encoding: 'utf8',
      maxBuffer: 1e9,
    });
    expect(oracle.status, oracle.stderr).toBe(0);
    const theirs: readonly Result[] = JSON.parse(oracle.stdout);
    expect(samples.map(ourResult)).toEqual(theirs);
  });
});
