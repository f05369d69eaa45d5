import { describe, expect, it } from 'vitest';
import { readCliInput } from '#burnish/cli/input/cli-input.js';
import { Decimal } from '#burnish/cli/input/input-value.js';

const read = (values: Readonly<Record<string, string>>) => readCliInput((flag) => values[flag]);
const json = (text: string) => read({ '--cli-input-json': text });
const yaml = (text: string) => read({ '--cli-input-yaml': text });

describe('the whole input', () => {
  it('is none where no option gives it', async () => {
    expect(await read({})).toBeUndefined();
  });

  it('comes as JSON or YAML', async () => {
    const expected = {
      Name: 'n',
      Count: 1,
      Share: new Decimal('1.0'),
      On: true,
      Tags: [{ Key: 'a' }],
    };
    expect(await json('{"Name":"n","Count":1,"Share":1.0,"On":true,"Tags":[{"Key":"a"}]}')).toEqual(
      expected,
    );
    expect(
      await yaml('Name: n\nCount: 1\nShare: 1.0\nOn: true\nTags:\n- Key: a # comment\n'),
    ).toEqual(expected);
  });

  it('has the types of YAML 1.2', async () => {
    expect(await yaml('a: yes\nb: 2024-01-02\nc: 1e3\nd: 0x10\ne: null\nf: "1.0"')).toEqual({
      a: 'yes',
      b: '2024-01-02',
      c: new Decimal('1e3'),
      d: 16,
      e: null,
      f: '1.0',
    });
  });

  it.each([
    [() => json('{"a"'), "'--cli-input-json': Invalid JSON received"],
    [() => json('[1]'), "Invalid type: expecting map, received <class 'list'>"],
    [() => json('file:///nowhere'), "'--cli-input-json': Unable to load paramfile file:///nowhere"],
    [() => yaml('a: [1'), "'--cli-input-yaml': Invalid YAML received"],
    [() => yaml('a: 1\na: 2'), "'--cli-input-yaml': Invalid YAML received"],
    [() => yaml(''), "Invalid type: expecting map, received <class 'NoneType'>"],
    [() => yaml('just text'), "Invalid type: expecting map, received <class 'str'>"],
    [
      () => read({ '--cli-input-json': '{}', '--cli-input-yaml': '{}' }),
      'Only one --cli-input- parameter may be specified.',
    ],
  ])('is refused: %s', async (act, message) => {
    await expect(act()).rejects.toThrow(message);
    await expect(act()).rejects.toMatchObject({ exitStatus: 252 });
  });

  it('does not multiply by aliases', async () => {
    const levels = Array.from(
      { length: 20 },
      (_, i) => `l${i}: &l${i} [${`*l${i - 1}, `.repeat(9)}]`,
    );
    levels[0] = 'l0: &l0 [x]';
    await expect(yaml(levels.join('\n'))).rejects.toThrow('Invalid YAML received');
  });
});
