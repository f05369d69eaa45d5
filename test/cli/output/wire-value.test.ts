import { describe, expect, it } from 'vitest';
import {
  compareCodePoints,
  type ExactNumber,
  floatText,
  numberText,
  parseWireJson,
} from '#burnish/cli/output/wire-value.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

describe('a number', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['1', '1'],
    ['1.0', '1.0'],
    ['-0.0', '-0.0'],
    ['1.50', '1.5'],
    ['1e3', '1000.0'],
    ['1E-5', '1e-05'],
    ['0.0001', '0.0001'],
    ['1e15', '1000000000000000.0'],
    ['1e16', '1e+16'],
    ['1.2345e22', '1.2345e+22'],
    ['1700000000.123', '1700000000.123'],
    ['9007199254740993', '9007199254740993'],
    ['-123456789012345678901234567890', '-123456789012345678901234567890'],
    ['1e400', 'Infinity'],
  ])('%s is printed as %s', (json, expected) => {
    expect(numberText(parseWireJson(json) as number | ExactNumber)).toBe(expected);
  });

  it('reads back as the same double, whatever it is', () => {
    const view = new DataView(new ArrayBuffer(8));
    const random = seededRandom(1);
    for (let round = 0; round < 2000; round++) {
      for (const at of [0, 4]) {
        view.setUint32(at, random() * 2 ** 32);
      }
      const value = view.getFloat64(0);
      if (Number.isFinite(value)) expect(Number(floatText(value))).toBe(value);
    }
  });
});

describe('text order', () => {
  it('is by code point', () => {
    const texts = ['\u{1f600}', '\uffff', 'b', 'B', '', 'ba', '\u{1f601}', '\u{10ffff}'];
    expect([...texts].sort(compareCodePoints)).toEqual([
      '',
      'B',
      'b',
      'ba',
      '\uffff',
      '\u{1f600}',
      '\u{1f601}',
      '\u{10ffff}',
    ]);
  });
});

describe('JSON from the wire', () => {
  it.each(['', '{', '[1,]', 'undefined', "{'a': 1}"])('"%s" is refused', (text) => {
    expect(() => parseWireJson(text)).toThrow(SyntaxError);
  });
});
