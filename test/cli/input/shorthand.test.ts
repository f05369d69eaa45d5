import { describe, expect, it } from 'vitest';
import type { InputObject, InputValue } from '#burnish/cli/input/input-value.js';
import { parseShorthand } from '#burnish/cli/input/shorthand/parse-shorthand.js';
import { fc } from '../../support/properties.js';
import { shorthandText } from './shorthand-text.js';

const parse = (text: string) =>
  parseShorthand(text, (value) => (value.startsWith('file://') ? `<${value.slice(7)}>` : value));

describe('shorthand', () => {
  it.each<[string, InputObject]>([
    ['a=b', { a: 'b' }],
    ['a=', { a: '' }],
    ['a=,b=', { a: '', b: '' }],
    ['a=b,c=d', { a: 'b', c: 'd' }],
    ['a=b,c', { a: ['b', 'c'] }],
    ['a=b,c,d=e,f', { a: ['b', 'c'], d: ['e', 'f'] }],
    ["a='x,y',z", { a: ['x,y', 'z'] }],
    ['a=x\\,y', { a: 'x,y' }],
    ['a=[b,c]', { a: ['b', 'c'] }],
    ['a=[b]', { a: ['b'] }],
    ['a=[]', { a: [] }],
    ['a=[b,]', { a: ['b'] }],
    ['a={}', { a: {} }],
    ['a={b=c,d={e=f}}', { a: { b: 'c', d: { e: 'f' } } }],
    ['a=[{b=c},{b=d}]', { a: [{ b: 'c' }, { b: 'd' }] }],
    ['a={b=[c,[d]]}', { a: { b: ['c', ['d']] } }],
    ['a = b , c = { d = e }', { a: 'b', c: { d: 'e' } }],
    ['a= b c ', { a: 'b c' }],
    ['a=[ b , c ]\n,\nd=e', { a: ['b', 'c'], d: 'e' }],
    [`a='it\\'s'`, { a: "it's" }],
    [`a="say \\"hi\\""`, { a: 'say "hi"' }],
    [`a='\\\\'`, { a: '\\' }],
    [`a='b\\'`, { a: 'b\\' }],
    [`a=''`, { a: '' }],
    ['a=s3://b/c?d=e', { a: 's3://b/c?d=e' }],
    ['a.b-c_d#e/f:g=h', { 'a.b-c_d#e/f:g': 'h' }],
    ['a=]b', { a: ']b' }],
    ['a={b=c,b=d}', { a: { b: 'd' } }],
    ['a@=file://x', { a: '<x>' }],
    ['a @ = file://x,b=file://y', { a: '<x>', b: 'file://y' }],
    ['a={b@=file://x,c=file://y}', { a: { b: '<x>', c: 'file://y' } }],
    ["a@=[file://x,'file://y']", { a: ['<x>', '<y>'] }],
    ['a@=file://x,file://y', { a: ['<x>', '<y>'] }],
    ['a@=plain', { a: 'plain' }],
  ])('reads %j', (text, expected) => {
    expect(parse(text)).toEqual(expected);
  });

  it.each([
    ['', "Expected: '=', received: 'EOF' for input:\n\n^"],
    ['a', "Expected: '=', received: 'EOF' for input:\na\n ^"],
    ['a==b,c', "Expected: ',', received: '=' for input:\na==b,c\n  ^"],
    ['a=b,c=d,', "Expected: '<second>', received: '<none>' for input:\na=b,c=d,\n        ^"],
    ['a=[b', "Expected: ',', received: 'EOF' for input:\na=[b\n    ^"],
    ['a={b=c', "Expected: ',', received: 'EOF' for input:\na={b=c\n      ^"],
    ['a={b}', "Expected: '=', received: '}' for input:\na={b}\n    ^"],
    ["a='b", "Expected: '<singled quoted>', received: '<none>' for input:\na='b\n  ^"],
    ['a="b', `Expected: '<double quoted>', received: '<none>' for input:\na="b\n  ^`],
    ['a={b=é}é', "Expected: ',', received: 'é' for input:\na={b=é}é\n       ^"],
    ['a={b=c}😀', "Expected: ',', received: '😀' for input:\na={b=c}😀\n       ^"],
    ['a=b,\nc==d', "Expected: ',', received: '=' for input:\na=b,\nc==d\n  ^"],
    ['a={b}\n,c=d', "Expected: '=', received: '}' for input:\na={b}\n    ^\n,c=d"],
  ])('marks the place of the error in %j', (text, message) => {
    expect(() => parse(text)).toThrow(expect.objectContaining({ message }));
  });

  it('says why a key may have come twice', () => {
    expect(() => parse('Key=a,Value=b,Key=c')).toThrow(
      'Second instance of key "Key" encountered for input:\nKey=a,Value=b,Key=c\n' +
        '              ^\nThis is often because there is a preceding "," instead of a space.',
    );
  });

  it('keeps keys that are names in JavaScript', () => {
    const value = parse('__proto__={constructor=x},toString=y');
    expect(Object.entries(value)).toEqual([
      ['__proto__', { constructor: 'x' }],
      ['toString', 'y'],
    ]);
  });

  it('stays linear where nothing closes a quote', () => {
    const backslashes = '\\'.repeat(200_000);
    expect(() => parse(`a='${backslashes}`)).toThrow('<singled quoted>');
  });

  const text = fc.string({ unit: 'grapheme' });
  const key = fc.stringMatching(/^[A-Za-z0-9_.#/:-]{1,8}$/);
  const { structure } = fc.letrec<{ value: InputValue; structure: InputObject }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      text,
      fc.array(tie('value'), { maxLength: 3 }),
      tie('structure'),
    ),
    structure: fc.dictionary(key, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  }));

  it('reads back every value that is written as shorthand', () => {
    fc.assert(
      fc.property(
        structure.filter((value) => Object.keys(value).length > 0),
        (value) => {
          expect(parse(shorthandText(value))).toEqual(value);
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('answers any text with a value or a marked error', () => {
    const noise = fc.string({ unit: fc.constantFrom(...`ab=,[]{}'"\\ \n@é`) });
    fc.assert(
      fc.property(noise, (input) => {
        try {
          expect(parse(input)).toBeTypeOf('object');
        } catch (error) {
          expect((error as Error).message).toMatch(/for input:\n.*\^/s);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
