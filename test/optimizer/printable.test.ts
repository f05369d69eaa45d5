import { describe, expect, it } from 'vitest';
import { printable } from '#burnish/optimizer/printable.js';

describe('printable', () => {
  it('keeps text and shows what would move a cursor or begin a line', () => {
    expect(printable('é layers.0 → 日本')).toBe('é layers.0 → 日本');
    expect(printable('a\nb\r\u001b[31m\u009b\u2028\u0000')).toBe(
      'a\\u000ab\\u000d\\u001b[31m\\u009b\\u2028\\u0000',
    );
  });
});
