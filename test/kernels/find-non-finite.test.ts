import { describe, expect, test } from 'vitest';
import { findNonFinite } from '#burnish/kernels/index.js';

describe('the first element that is not finite', () => {
  test.each([
    [1, 0, Number.NaN],
    [7, 6, Number.POSITIVE_INFINITY],
    // More than is held at a time.
    [2 ** 15 + 9, 2 ** 15 + 8, Number.NEGATIVE_INFINITY],
    [2 ** 16, 2 ** 15, Number.NaN],
  ])('of %i is found at %i', (length, place, value) => {
    const values = new Float32Array(length).fill(-3.4e38);
    expect(findNonFinite(values)).toBeUndefined();
    values[place] = value;
    expect(findNonFinite(values)).toBe(place);
    values[0] = value;
    expect(findNonFinite(values)).toBe(0);
  });

  test('of nothing is none', () => {
    expect(findNonFinite(new Float32Array())).toBeUndefined();
  });
});
