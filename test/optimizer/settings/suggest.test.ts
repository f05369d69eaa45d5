import { describe, expect, it } from 'vitest';
import { suggest } from '#burnish/optimizer/settings/suggest.js';

describe('suggest', () => {
  it.each([
    ['quantise', 'quantize'],
    ['quanitze', 'quantize'],
    ['rtn_blocksize', 'rtn_block_size'],
    ['fp9', 'fp8'],
    ['pf8', 'fp8'],
    ['quant', undefined],
    ['something', undefined],
    ['', undefined],
    ['q'.repeat(100_000), undefined],
  ])('for %s it is %s', (word, expected) => {
    expect(suggest(word, ['quantize', 'rtn_block_size', 'fp8'])).toBe(expected);
  });

  it('prefers the nearest', () => {
    expect(suggest('max_loras_', ['max_lora_rank', 'max_cpu_loras', 'max_loras'])).toBe(
      'max_loras',
    );
  });
});
