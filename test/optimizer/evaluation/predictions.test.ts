import { describe, expect, it } from 'vitest';
import { cutWindows } from '#burnish/optimizer/evaluation/predictions.js';
import { NO_TARGET } from '#burnish/optimizer/forward/token-losses.js';

describe('cutWindows', () => {
  it('predicts every token but the first, across the ends of windows', () => {
    const { windows, targets, count } = cutWindows(Int32Array.of(5, 6, 7, 8, 9), 2);
    expect(windows.map((window) => [...window])).toEqual([[5, 6], [7, 8], [9]]);
    expect([...targets]).toEqual([6, 7, 8, 9, NO_TARGET]);
    expect(count).toBe(4);
  });

  it('has nothing to predict in a text of one token', () => {
    expect(cutWindows(Int32Array.of(5), 2).count).toBe(0);
  });
});
