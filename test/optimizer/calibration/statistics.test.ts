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

  it.each([1, 63, 64, 65, 200])('makes both halves of %i columns equal', (columns) => {
    const upper = Float32Array.from({ length: columns * columns }, (_, index) =>
      index % columns >= Math.floor(index / columns) ? index + 1 : Number.NaN,
    );
    const collector = new StatisticsCollector();
    const none = new Float32Array(columns);
    collector.add(['x'], { columns, tokens: 1, gram: upper, magnitude: none, largest: none });
    const gram = collector.of('x')?.gram ?? none;
    for (let row = 0; row < columns; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const [low, high] = row < column ? [row, column] : [column, row];
        expect(gram[row * columns + column]).toBe(low * columns + high + 1);
      }
    }
  });
});
