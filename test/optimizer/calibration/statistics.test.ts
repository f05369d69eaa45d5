import { describe, expect, it } from 'vitest';
import { StatisticsCollector } from '#burnish/optimizer/calibration/statistics.js';

describe('StatisticsCollector', () => {
  it('adds runs up, for every layer that shares the input', () => {
    const collector = new StatisticsCollector();
    const modules = ['q', 'k'];
    collector.add(
      modules,
      2,
      Float32Array.of(1, 2, 2, 5),
      Float32Array.of(2, 4),
      Float32Array.of(1, 3),
    );
    collector.add(
      modules,
      1,
      Float32Array.of(4, 6, 6, 9),
      Float32Array.of(4, 2),
      Float32Array.of(4, 2),
    );
    expect(collector.of('k')).toEqual(collector.of('q'));
    expect(collector.of('q')).toEqual({
      columns: 2,
      tokens: 3,
      gram: Float32Array.of(5, 8, 8, 14),
      meanMagnitude: Float32Array.of(2, 2),
      largestMagnitude: Float32Array.of(4, 3),
    });
    expect(collector.of('v')).toBeUndefined();
  });

  it('keeps in f64 what would get lost in f32', () => {
    const collector = new StatisticsCollector();
    const one = Float32Array.of(1);
    collector.add(['x'], 1, Float32Array.of(2 ** 24), one, one);
    for (let run = 0; run < 4; run += 1) collector.add(['x'], 1, one, one, one);
    expect(collector.of('x')?.gram[0]).toBe(2 ** 24 + 4);
  });
});
