import { describe, expect, it } from 'vitest';
import { StatisticsCollector } from '#burnish/optimizer/calibration/statistics.js';

describe('StatisticsCollector', () => {
  it('knows the means of what passed, for every layer that shares the input', () => {
    const collector = new StatisticsCollector();
    collector.add(['q', 'k'], {
      columns: 2,
      tokens: 4,
      gram: Float32Array.of(5, 8, 8, 14),
      magnitude: Float32Array.of(2, 6),
      largest: Float32Array.of(4, 3),
    });
    expect(collector.of('k')).toEqual(collector.of('q'));
    expect(collector.of('q')).toEqual({
      columns: 2,
      tokens: 4,
      gram: Float32Array.of(5, 8, 8, 14),
      meanMagnitude: Float32Array.of(0.5, 1.5),
      largestMagnitude: Float32Array.of(4, 3),
    });
    expect(collector.of('v')).toBeUndefined();
  });
});
