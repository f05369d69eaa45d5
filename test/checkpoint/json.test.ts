import { describe, expect, it } from 'vitest';
import { CheckpointError } from '#burnish/checkpoint/errors.js';
import { parseJson } from '#burnish/checkpoint/json.js';

const what = 'config.json';

describe('parseJson', () => {
  it.each([
    '{"a":1,"b":[true,null,"x"]}',
    '[]',
    '"text with { and \\" in it"',
    '{"a":{"b":{"a":1}}}',
    '-1.5e3',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parseJson(text, { what, uniqueKeys: true })).toEqual(JSON.parse(text));
  });

  it('refuses nesting beyond the limit before anything is built from it', () => {
    const deep = '['.repeat(5_000_000);
    expect(() => parseJson(deep, { what })).toThrow('config.json: is nested more than 64 deep');
    expect(parseJson('[[1]]', { what, maxDepth: 2 })).toEqual([[1]]);
    expect(() => parseJson('[[[1]]]', { what, maxDepth: 2 })).toThrow(CheckpointError);
  });

  it('does not count brackets inside strings', () => {
    expect(parseJson('["[[[[\\"[[["]', { what, maxDepth: 1 })).toEqual(['[[[["[[[']);
  });

  it.each([
    ['{"a":1,"a":2}', '"a"'],
    ['{"x":{"a":1,\n "a" : 2}}', '"a"'],
    ['{"ab":1,"a\\u0062":2}', '"ab"'],
    ['{"":1,"":2}', '""'],
    ['{"__proto__":1,"__proto__":2}', '"__proto__"'],
  ])('finds the repeated name in %s', (text, name) => {
    expect(() => parseJson(text, { what, uniqueKeys: true })).toThrow(
      `config.json: the name ${name} appears twice`,
    );
    expect(() => parseJson(text, { what })).not.toThrow();
  });

  it('takes equal names in different objects, and values that equal names', () => {
    const text = '{"a":"b","b":[{"a":1},{"a":2}],"c":"a"}';
    expect(parseJson(text, { what, uniqueKeys: true })).toEqual(JSON.parse(text));
  });

  it.each(['{"a":', '{"a" "b"}', '"open', '{"a\\', '', '{"a":1,}'])(
    'says that %s is not JSON',
    (text) => {
      expect(() => parseJson(text, { what, uniqueKeys: true })).toThrow(
        /^config\.json: is not valid JSON/,
      );
    },
  );

  it('reads Python’s numbers as null where asked, and only outside strings', () => {
    const text = '{"limit":[0.0, Infinity],"low":-Infinity,"nan":NaN,"s":"NaN","n":-1}';
    expect(parseJson(text, { what, pythonNumbers: true })).toEqual({
      limit: [0, null],
      low: null,
      nan: null,
      s: 'NaN',
      n: -1,
    });
    expect(() => parseJson(text, { what })).toThrow(CheckpointError);
  });
});
