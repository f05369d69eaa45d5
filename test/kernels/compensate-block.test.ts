import { describe, expect, test } from 'vitest';
import { type CodeGrid, compensateBlock } from '#burnish/kernels/index.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';

import { codeOf, gridsOf } from './support/reference-grid.js';

interface Case {
  readonly width: number;
  readonly count: number;
  readonly columns: number;
  readonly moved: boolean;
}

const CASES: readonly Case[] = [
  { width: 1, count: 1, columns: 1, moved: false },
  { width: 7, count: 5, columns: 9, moved: true },
  { width: 8, count: 32, columns: 32, moved: false },
  { width: 131, count: 13, columns: 40, moved: true },
];

/** A block of every other column from the last back, with what it needs; scales of every size, and
 * one that is zero. */
function blockOf(grid: CodeGrid, { width, count, columns, moved }: Case) {
  const random = seededRandom(grid.bits + width);
  const groups = Math.ceil(columns / grid.groupSize);
  const highest = 2 ** grid.bits - 1;
  const numbers = (length: number, of: () => number): Float32Array =>
    Float32Array.from({ length }, of);
  const shares = new Float32Array(count * count);
  for (let k = 0; k < count; k++) {
    for (let j = 0; j < k; j++) shares[k * count + j] = random() - 0.5;
  }
  const step = count * 2 <= columns + 1 ? 2 : 1;
  return {
    width,
    columns: Uint32Array.from({ length: count }, (_, k) => columns - 1 - step * k),
    targets: numbers(columns * width, () => 4 * random() - 2),
    moves: moved ? numbers(count * width, () => random() - 0.5) : undefined,
    shares,
    scales: numbers(groups * width, () => (random() < 0.02 ? 0 : (2 + random()) / highest)),
    zeroPoints: numbers(groups * width, () =>
      grid.symmetric ? 2 ** (grid.bits - 1) : Math.floor(random() * (highest + 1)),
    ),
    codes: new Uint8Array(columns * width).fill(255),
    errors: new Float32Array(count * width),
  };
}

/** The same, number by number. */
function plainly(grid: CodeGrid, block: ReturnType<typeof blockOf>) {
  const { width, columns, targets, moves, shares, scales, zeroPoints } = block;
  const codes = block.codes.slice();
  const errors = block.errors.slice();
  for (let r = 0; r < width; r++) {
    for (const [k, column] of columns.entries()) {
      const target = targets[column * width + r] ?? 0;
      let wanted = target + (moves?.[k * width + r] ?? 0);
      for (let j = 0; j < k; j++) {
        wanted += (shares[k * columns.length + j] ?? 0) * (errors[j * width + r] ?? 0);
      }
      const group = Math.floor(column / grid.groupSize) * width + r;
      const [scale, zeroPoint] = [scales[group] ?? 0, zeroPoints[group] ?? 0];
      const nearest =
        scale === 0
          ? wanted > 0
            ? 2 ** grid.bits - 1
            : 0
          : codeOf(grid, wanted, scale, zeroPoint);
      codes[column * width + r] = nearest;
      errors[k * width + r] = target - (nearest - zeroPoint) * scale;
    }
  }
  return { codes, errors };
}

describe('a block of columns', () => {
  test.each(CASES.flatMap((shape) => gridsOf(6).map((grid) => ({ shape, grid }))))(
    'of $shape.count × $shape.width, $grid.bits bits, symmetric $grid.symmetric, is rounded as number by number',
    ({ shape, grid }) => {
      const block = blockOf(grid, shape);
      const expected = plainly(grid, block);
      compensateBlock(grid, block);
      expect(block.codes).toEqual(expected.codes);
      expect(block.errors).toEqual(expected.errors);
      // Columns that are not the block's were left alone.
      const touched = new Set(block.columns);
      for (let column = 0; column < shape.columns; column++) {
        const own = block.codes.subarray(column * shape.width, (column + 1) * shape.width);
        if (!touched.has(column)) expect(own.every((code) => code === 255)).toBe(true);
      }
    },
  );

  test('takes the even step of two that are as near', () => {
    const grid = gridsOf(4).find(({ bits, symmetric }) => bits === 4 && symmetric);
    if (grid === undefined) throw new Error('there is no such grid');
    const targets = Float32Array.from([-9, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 9], (v) => v / 4);
    const codes = new Uint8Array(8);
    compensateBlock(grid, {
      width: 8,
      columns: Uint32Array.of(0),
      moves: undefined,
      shares: new Float32Array(1),
      scales: new Float32Array(8).fill(0.25),
      zeroPoints: new Float32Array(8).fill(8),
      errors: new Float32Array(8),
      ...{ targets, codes },
    });
    expect([...codes]).toEqual([0, 6, 6, 8, 8, 10, 10, 15]);
  });
});
