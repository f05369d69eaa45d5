import { describe, expect, it } from 'vitest';
import {
  type OptionSpec,
  parseInteger,
  parseKnownArguments,
} from '#burnish/cli/arguments/argument-parser.js';
import { UsageError } from '#burnish/cli/output/errors.js';

const OPTIONS: readonly OptionSpec[] = [
  { flag: '--name', takes: 'one', required: true },
  { flag: '--name-contains', takes: 'one' },
  { flag: '--tags', takes: 'many' },
  { flag: '--kind', takes: 'optional', choices: ['input', 'output'], impliedValue: 'input' },
  { flag: '--count', takes: 'one', integer: true },
  { flag: '--fast', takes: 'nothing' },
  { flag: '--slow', key: '--fast', takes: 'nothing', sets: false },
];

const parse = (...argv: string[]) => {
  const { values, remaining } = parseKnownArguments(OPTIONS, [], ['--name', 'n', ...argv]);
  const { '--name': _, ...given } = Object.fromEntries(values);
  return { given, remaining };
};

const refusal = (argv: readonly string[]): string => {
  try {
    parseKnownArguments(OPTIONS, [], argv);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  }
  throw new Error(`${argv.join(' ')} was taken`);
};

describe('the argument parser', () => {
  it.each([
    [['--tags', 'a', 'b', '--fast'], { '--tags': ['a', 'b'], '--fast': true }],
    [['--tags'], { '--tags': [] }],
    [['--kind'], { '--kind': 'input' }],
    [['--kind', 'output'], { '--kind': 'output' }],
    [['--count', ' 1_000'], { '--count': 1000 }],
    [['--count', '-5'], { '--count': -5 }],
    [['--fast', '--slow'], { '--fast': false }],
    [['--name-contains=--x=y'], { '--name-contains': '--x=y' }],
    [['--name-contains', '-x y'], { '--name-contains': '-x y' }],
    [['--name-contains', '-'], { '--name-contains': '-' }],
    [['--name-contains', ''], { '--name-contains': '' }],
    [['--name-contains', 'a', '--name-contains', 'b'], { '--name-contains': 'b' }],
    [['--name-c', 'a'], { '--name-contains': 'a' }],
  ])('reads %j', (argv, expected) => {
    expect(parse(...argv)).toEqual({ given: expected, remaining: [] });
  });

  it('leaves what it does not know', () => {
    expect(parse('stray', '--unknown', 'x', '--fast')).toEqual({
      given: { '--fast': true },
      remaining: ['stray', '--unknown', 'x'],
    });
  });

  it('takes an exact name before a longer one that it begins', () => {
    expect(parse('--name', 'm').given).toEqual({});
  });

  it.each([
    [['--name'], 'argument --name: expected one argument'],
    [['--name', '--fast'], 'argument --name: expected one argument'],
    [[], 'the following arguments are required: --name'],
    [['--na', 'x'], 'ambiguous option: --na could match --name, --name-contains'],
    [['--name', 'n', '--count', 'x'], "argument --count: invalid int value: 'x'"],
    [['--name', 'n', '--count', '1.0'], "argument --count: invalid int value: '1.0'"],
    [['--name', 'n', '--fast=yes'], "argument --fast: ignored explicit argument 'yes'"],
    [['--name', 'n', '--kind', 'x'], 'argument --kind: Invalid choice, valid choices are:'],
  ])('refuses %j', (argv, reason) => {
    const message = refusal(argv);
    expect(message).toMatch(/^usage: burnish \[options\] <operation> \[parameters\]\n/);
    expect(message).toContain(`burnish: error: ${reason}`);
  });

  it('suggests the choice and the option that may have been meant', () => {
    expect(refusal(['--name', 'n', '--kind', 'ouput'])).toContain(
      "Invalid choice: 'ouput', maybe you meant:\n\n  * output",
    );
    expect(refusal(['--nane', 'x'])).toContain(
      "Unknown option: '--nane', maybe you meant:\n\n  * --name",
    );
  });

  it('ends at once at an option that stops', () => {
    const stop = new Error('stop');
    const options = [...OPTIONS, { flag: '--stop', takes: 'nothing', stops: () => stop } as const];
    expect(() => parseKnownArguments(options, [], ['--stop'])).toThrow(stop);
    expect(() => parseKnownArguments(options, [], ['--count', 'x', '--stop'])).toThrow(/int value/);
  });
});

describe('integers', () => {
  it.each([
    ['12', 12],
    [' +1_0 ', 10],
    ['-0', -0],
    ['1__0', undefined],
    ['_1', undefined],
    ['1.0', undefined],
    ['0x10', undefined],
    ['', undefined],
  ])('reads %j as %j', (text, expected) => {
    expect(parseInteger(text)).toBe(expected);
  });
});
