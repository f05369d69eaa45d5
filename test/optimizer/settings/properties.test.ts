import { describe, expect, it } from 'vitest';
import { formatProperties, parseProperties } from '#burnish/optimizer/settings/properties.js';

describe('parseProperties', () => {
  it('reads keys, values and comments', () => {
    const text = '# a comment\n\n engine = Python \r\noption.a=b=c\n!other\noption.empty=\n';
    expect([...parseProperties(text)]).toEqual([
      ['engine', 'Python'],
      ['option.a', 'b=c'],
      ['option.empty', ''],
    ]);
  });

  it('keeps the last of two equal keys', () => {
    expect(parseProperties('a=1\na=2').get('a')).toBe('2');
  });

  it.each(['engine', '=x', 'a=1\nnonsense'])('refuses %j, naming the line', (text) => {
    expect(() => parseProperties(text)).toThrow(
      `serving.properties, line ${text.split('\n').length} is not`,
    );
  });

  it('writes what it reads', () => {
    const properties = new Map([
      ['engine', 'Python'],
      ['option.x', 'a\\:b'],
    ]);
    expect(parseProperties(formatProperties(properties))).toEqual(properties);
  });
});
