import { describe, expect, it } from 'vitest';
import { formatJson } from '#burnish/cli/output/format-json.js';
import { compileQuery } from '#burnish/cli/output/query.js';
import { parseWireJson } from '#burnish/cli/output/wire-value.js';

const DATA = parseWireJson(
  JSON.stringify({
    jobs: [
      { name: 'b', size: 2, started: '2024-02-01', tags: ['x', 'y'] },
      { name: 'a', size: 10, started: '2024-01-01', tags: [] },
      { name: 'c', started: null, tags: ['z'] },
    ],
    text: '😀b',
    map: { z: 1, a: 2 },
  }),
);

const search = (expression: string) =>
  JSON.parse(formatJson(compileQuery(expression).search(DATA)));

describe('a query', () => {
  it.each([
    ['jobs[0].name', 'b'],
    ['jobs[-1].name', 'c'],
    ['jobs[9]', null],
    ['jobs[*].size', [2, 10]],
    ['jobs[].tags[]', ['x', 'y', 'z']],
    ['jobs[1:].name', ['a', 'c']],
    ['jobs[::-1].name', ['c', 'a', 'b']],
    ['jobs[-2:].name', ['a', 'c']],
    ['jobs[10:0:-2].name', ['c']],
    ['map.*', [1, 2]],
    ['jobs[?size>`5`].name', ['a']],
    ['jobs[?size<`5`].name', ['b']],
    ["jobs[?started>='2024-01-15'].name", ['b']],
    ['jobs[?name==`a`].size', [10]],
    ['jobs[?!started].name', ['c']],
    ['jobs[?tags && size].name', ['b']],
    ['jobs[?size || tags].name', ['b', 'a', 'c']],
    ['jobs[?size==null].name', ['c']],
    ['jobs[0].{n:name,s:size}', { n: 'b', s: 2 }],
    ['jobs[0].[name,size]', ['b', 2]],
    ['missing.{n:name}', null],
    ['missing | [name]', null],
    ['jobs | length(@)', 3],
    ['toString', null],
    ['map.constructor', null],
    ['length(text)', 2],
    ['reverse(text)', 'b😀'],
    ['sort_by(jobs, &name)[].name', ['a', 'b', 'c']],
    ['max_by(jobs[?size], &size).name', 'a'],
    ['min_by(jobs[?size], &size).name', 'b'],
    ["sort(['b', 'B', 'a'])", ['B', 'a', 'b']],
    ['sum(jobs[].size)', 12],
    ['max(jobs[].size)', 10],
    ['min(jobs[].name)', 'a'],
    ['keys(map)', ['z', 'a']],
    ["merge(map, {b: 'c'})", { z: 1, a: 2, b: 'c' }],
    ['map(&name, jobs)', ['b', 'a', 'c']],
    ['map(&size, jobs)', [2, 10, null]],
    ["join('-', jobs[].name)", 'b-a-c'],
    ["contains(text, 'b')", true],
    ["contains(jobs[0].tags, 'x')", true],
    ["starts_with('abc', 'ab') && ends_with('abc', 'bc')", true],
    ['not_null(missing, jobs[0].size)', 2],
    ['not_null(`0`)', 0],
    ['to_array(`1`)', [1]],
    ["to_number('12')", 12],
    ["to_number('x')", null],
    ['to_string(jobs[0].tags)', '["x","y"]'],
    ['to_string(text)', '😀b'],
    ['type(map)', 'object'],
    ['[abs(`-3`), ceil(`1.2`), floor(`1.8`)]', [3, 2, 1]],
    ['avg(`[]`)', null],
    ['values(map)', [1, 2]],
  ])('%s', (expression, expected) => expect(search(expression)).toEqual(expected));

  it('keeps integers and floats apart', () => {
    const text = (expression: string) => formatJson(compileQuery(expression).search(DATA)).trim();
    expect(text('avg(`[1, 3]`)')).toBe('2.0');
    expect(text('avg(jobs[].size)')).toBe('6.0');
    expect(text("to_number('1.0')")).toBe('1.0');
    expect(text('sum(`[0.5, 0.5]`)')).toBe('1.0');
    expect(text('ceil(`1.5`)')).toBe('2');
    expect(text('avg(`[1, 3]`) == `2`')).toBe('true');
    expect(text('avg(`[1, 3]`) > `1`')).toBe('true');
  });

  it.each(['', 'a[', 'a.b..c', 'a[?n=1]', 'foo(', '{a:a', 'a b', '"', 'a | ', '$.a', 'a + b'])(
    'that is "%s" is refused as a usage error that repeats it',
    (expression) => {
      expect(() => compileQuery(expression)).toThrow(
        expect.objectContaining({
          exitStatus: 252,
          message: expect.stringContaining(`Bad value for --query ${expression}: `),
        }),
      );
    },
  );

  it.each([
    ['nosuch(@)', 'Unknown function: nosuch()'],
    ['split(text)', 'Unknown function: split()'],
    ['toString(@)', 'Unknown function: toString()'],
    ['length()', 'Expected 1 argument for function length(), received 0'],
    ['not_null()', 'Expected at least 1 argument for function not_null(), received 0'],
    ['length(`1`)', 'In function length(), invalid type for value: 1,'],
    ["sum(['a'])", 'In function sum(), invalid type for value: a,'],
    ["sort([`1`, 'a'])", 'In function sort(), invalid type for value: a,'],
    ['sort_by(jobs, &size)', 'In function sort_by(), invalid type for value: None,'],
    ['jobs[::0]', 'slice step cannot be zero'],
    ["`1` < 'a'", 'compares a number with a text'],
  ])('%s fails: %s', (expression, message) => {
    const query = compileQuery(expression);
    expect(() => query.search(DATA)).toThrow(
      expect.objectContaining({ exitStatus: 255, message: expect.stringContaining(message) }),
    );
  });
});
