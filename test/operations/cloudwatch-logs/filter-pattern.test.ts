import { describe, expect, it } from 'vitest';
import { parseFilterPattern } from '#burnish/operations/cloudwatch-logs/filter-pattern.js';

const LINES = ['error in q_proj', 'warning in q_proj', 'error in k_proj', 'say "hi" there'];

describe('parseFilterPattern', () => {
  it.each<[string, number[]]>([
    ['', [0, 1, 2, 3]],
    ['error', [0, 2]],
    ['error q_proj', [0]],
    ['q_proj -error', [1]],
    ['?k_proj ?warning', [1, 2]],
    ['"error in q"', [0]],
    ['-"in q"', [2, 3]],
    ['"say \\"hi\\""', [3]],
    ['Error', []],
  ])('%j', (pattern, expected) => {
    const fits = parseFilterPattern(pattern);
    expect(LINES.flatMap((line, index) => (fits(line) ? [index] : []))).toEqual(expected);
  });

  it.each(['{ $.a = 1 }', '[a, b]', '%regex%', '"open'])('refuses %j', (pattern) => {
    expect(() => parseFilterPattern(pattern)).toThrow('filterPattern');
  });
});
