import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { formatTable } from '#burnish/cli/output/format-table.js';
import { formatText } from '#burnish/cli/output/format-text.js';
import { formatYaml } from '#burnish/cli/output/format-yaml.js';
import { readResponse } from '#burnish/cli/output/read-response.js';
import type { WireValue } from '#burnish/cli/output/wire-value.js';

const table = (value: WireValue, terminalWidth = 80) =>
  formatTable('Title', value, { terminalWidth, color: false, afterEachPiece: '' });

describe('text', () => {
  it('has the columns of all structures of a list', () => {
    expect(formatText({ L: [{ a: 1 }, { b: null, c: [1, 2] }] })).toBe(
      'L\t1\t\nL\t\tNone\nC\t1\nC\t2\n',
    );
  });

  it('prints scalars of a list on one line, lists in it on their own', () => {
    expect(formatText(['a', true, ['b', 'c'], null])).toBe('a\tTrue\tNone\nb\tc\n');
  });

  it('shows a structure where others have a scalar as Python would', () => {
    expect(formatText([{ a: 'x' }, { a: { b: ["it's", '"', '\n', 1.5, false] } }])).toBe(
      "x\n{'b': [\"it's\", '\"', '\\n', 1.5, False]}\n",
    );
  });
});

describe('a table', () => {
  it('stands on its side where the terminal is too narrow', () => {
    const value = { Alpha: 'one', Beta: 'two', Gamma: 'three' };
    expect(table(value)).toContain('| Alpha | Beta   |  Gamma  |');
    expect(table(value, 20)).toContain('|  Alpha |  one    |');
  });

  it('counts wide characters twice', () => {
    const lines = table({ a: '日本', b: 'x' }).trimEnd().split('\n');
    const width = (line: string) => line.length + (line.match(/[日本]/g)?.length ?? 0);
    expect(new Set(lines.map(width)).size).toBe(1);
  });

  it.each([null, false, 0, '', [], {}])('of %j is nothing', (value) => {
    expect(table(value)).toBe('');
  });

  it('refuses rows of unequal length', () => {
    expect(() => table([['a'], ['b', 'c']])).toThrow(
      'Row should have 1 elements, instead it has 2',
    );
  });

  it('refuses a list that begins with a structure and goes on with something else', () => {
    expect(() => table([{ a: 1 }, 'b'])).toThrow('table');
  });
});

describe('YAML', () => {
  const SCALARS = [
    '',
    ' ',
    'plain',
    'two words',
    'yes',
    'true',
    'null',
    '~',
    '1',
    '1.5',
    '1e3',
    '0x1f',
    '.inf',
    '2024-01-01',
    '2024-01-01 10:00:00',
    '- a',
    '? a',
    ': a',
    'a: b',
    'a:b',
    'a #b',
    'a#b',
    '#a',
    '@a',
    '`a',
    '%a',
    '&a',
    '*a',
    '!a',
    '|',
    '>',
    "'",
    '"',
    "it's",
    '[a',
    '{a',
    ',a',
    'a,b',
    '---',
    '...',
    '---a',
    ' lead',
    'trail ',
    'a\nb',
    'a\n\nb',
    'a\n',
    '\na',
    'a \nb',
    'a\n b',
    'a\tb',
    '\u0007',
    '\u0085',
    '\ufeff',
    '日本',
    '😀',
    'a\\b',
    '<<',
    '=',
    '_1',
    '+_',
    '0o7',
    `${'word '.repeat(40)}end`,
    `${'x'.repeat(100)} ${'y'.repeat(100)}`,
    `a  ${'b  '.repeat(60)}`,
    `${'é: '.repeat(50)}`,
    `\t${'tab here '.repeat(30)}`,
  ];

  it.each(SCALARS)('%j reads back as it was', (scalar) => {
    expect(parse(formatYaml([scalar]))).toEqual([scalar]);
    expect(parse(formatYaml({ key: { inner: scalar } }))).toEqual({ key: { inner: scalar } });
    if (!scalar.includes('\n')) expect(parse(formatYaml({ [scalar]: 1 }))).toEqual({ [scalar]: 1 });
  });

  it('writes a long key in the explicit form', () => {
    const key = 'k'.repeat(129);
    expect(formatYaml({ [key]: { a: 1 } })).toBe(`? ${key}\n: a: 1\n`);
  });

  it('refers to what comes again', () => {
    const shared = { a: 1 };
    expect(formatYaml([shared, shared])).toBe('- &id001\n  a: 1\n- *id001\n');
  });
});

describe('a response', () => {
  it('has the members of the model only, in its order', () => {
    const body = { NextToken: 'n', Tags: [{ Value: 'v', Key: 'k', New: 1 }], Other: 2 };
    expect(JSON.stringify(readResponse('ListTags', body, 'iso8601'))).toBe(
      '{"Tags":[{"Key":"k","Value":"v"}],"NextToken":"n"}',
    );
  });

  it('is empty for an operation without output', () => {
    expect(readResponse('StopOptimizationJob', { a: 1 }, 'iso8601')).toEqual({});
  });

  it('may have a union’s member that is not known yet, but not two', () => {
    const read = (config: WireValue) =>
      readResponse('DescribeOptimizationJob', { OptimizationConfigs: [config] }, 'iso8601');
    expect(read({ ModelDreamConfig: {} })).toEqual({
      OptimizationConfigs: [{ SDK_UNKNOWN_MEMBER: { name: 'ModelDreamConfig' } }],
    });
    expect(() => read({})).toThrow('must have one and only one member set');
    expect(() => read({ ModelShardingConfig: {}, ModelCompilationConfig: {} })).toThrow(
      'Invalid service response: OptimizationConfig must have one and only one member set.',
    );
  });
});
