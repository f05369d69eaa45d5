import { describe, expect, test } from 'vitest';
import { roundScaled, SCALED_ROW_UNIT } from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { codeOf, coveringRange, gridsOf } from './support/reference-grid.js';

describe('errors of scaled weights', () => {
  const shapes = [
    { rows: 8, columns: 1, groupSize: 1 },
    { rows: 16, columns: 37, groupSize: 16 },
    { rows: 24, columns: 12, groupSize: 12 },
  ];
  test.each(shapes.flatMap((shape) => gridsOf(shape.groupSize).map((grid) => ({ shape, grid }))))(
    'of $shape.rows × $shape.columns, $grid.bits bits, symmetric $grid.symmetric, are those of plain rounding',
    ({ shape: { rows, columns }, grid }) => {
      const random = seededRandom(grid.bits);
      const values = Float32Array.from({ length: rows * columns }, () => random() - 0.45);
      // A row of zeros, and one of positive numbers alone.
      for (let c = 0; c < columns; c++) {
        values[c * rows + 3] = 0;
        values[c * rows + 4] = 0.1 + random();
      }
      const factors = Float32Array.from({ length: columns }, () => 0.25 + 3 * random());
      const errors = new Float32Array(values.length);
      roundScaled(grid, { rows, columns, values }, factors, errors);

      const expected = values.map((_, at) => {
        const [column, row] = [Math.floor(at / rows), at % rows];
        const first = column - (column % grid.groupSize);
        const scaled = Array.from(
          { length: Math.min(grid.groupSize, columns - first) },
          (__, c) => (values[(first + c) * rows + row] ?? 0) * (factors[first + c] ?? 1),
        );
        const own = scaled[column - first] ?? 0;
        const range = coveringRange(grid, Math.min(...scaled), Math.max(...scaled));
        const steps = codeOf(grid, own, range.scale, range.zeroPoint) - range.zeroPoint;
        return (values[at] ?? 0) - steps * range.scale * (1 / (factors[column] ?? 1));
      });
      expect(errors).toEqual(expected);
    },
  );

  test('are not computed of rows that do not fill the vectors', () => {
    const weight = { rows: SCALED_ROW_UNIT + 1, columns: 2, values: new Float32Array(18) };
    const [grid] = gridsOf(2);
    if (grid === undefined) throw new Error('there is no grid');
    expect(() => roundScaled(grid, weight, new Float32Array(2), new Float32Array(18))).toThrow(
      /9 rows are no multiple of 8/,
    );
  });
});
