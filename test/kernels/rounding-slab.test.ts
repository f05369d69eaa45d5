import { describe, expect, test } from 'vitest';
import { type CodeGrid, RoundingSlab } from '#burnish/kernels/index.js';
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
    ...{ width, groups, shares, size: columns },
    columns: Uint32Array.from({ length: count }, (_, k) => columns - 1 - step * k),
    moves: numbers(count * width, () => (moved ? random() - 0.5 : 0)),
    rows: {
      weights: numbers(width * columns, () => 4 * random() - 2),
      scales: numbers(width * groups, () => (random() < 0.02 ? 0 : (2 + random()) / highest)),
      zeroPoints: Uint8Array.from({ length: width * groups }, () =>
        grid.symmetric ? 2 ** (grid.bits - 1) : Math.floor(random() * (highest + 1)),
      ),
    },
  };
}

/** The block's codes and errors, `[columns of the block, rows]`, number by number. */
function plainly(grid: CodeGrid, block: ReturnType<typeof blockOf>) {
  const { width, groups, size, columns, moves, shares, rows } = block;
  const codes = new Uint8Array(columns.length * width);
  const errors = new Float32Array(columns.length * width);
  for (let r = 0; r < width; r++) {
    for (const [k, column] of columns.entries()) {
      const target = rows.weights[r * size + column] ?? 0;
      let wanted = target + (moves[k * width + r] ?? 0);
      for (let j = 0; j < k; j++) {
        wanted += (shares[k * columns.length + j] ?? 0) * (errors[j * width + r] ?? 0);
      }
      const group = r * groups + Math.floor(column / grid.groupSize);
      const [scale, zeroPoint] = [rows.scales[group] ?? 0, rows.zeroPoints[group] ?? 0];
      const nearest =
        scale === 0
          ? wanted > 0
            ? 2 ** grid.bits - 1
            : 0
          : codeOf(grid, wanted, scale, zeroPoint);
      codes[k * width + r] = nearest;
      errors[k * width + r] = target - (nearest - zeroPoint) * scale;
    }
  }
  return { codes, errors };
}

/** The same by a slab that takes up its rows in two parts; the block's errors go to the slab's end, and
 * its moves lie at theirs. */
function bySlab(grid: CodeGrid, block: ReturnType<typeof blockOf>) {
  const { width, groups, size, columns, moves, shares, rows } = block;
  const count = columns.length;
  const slab = new RoundingSlab(grid, width, size, count + 1);
  const middle = Math.floor(width / 3);
  for (const [first, end] of [
    [middle, width],
    [0, middle],
  ] as const) {
    slab.load(first, {
      weights: rows.weights.subarray(first * size, end * size),
      scales: rows.scales.subarray(first * groups, end * groups),
      zeroPoints: rows.zeroPoints.subarray(first * groups, end * groups),
    });
  }
  slab.moves.fill(0);
  for (let k = 0; k < count; k++) {
    slab.moves.set(moves.subarray(k * width, (k + 1) * width), (k + 1) * slab.stride);
  }
  const first = size - count;
  slab.round({ columns, shares, first, movesFrom: 1 });
  const errors = Array.from({ length: count }, (_, k) => [
    ...slab.errors.subarray((first + k) * slab.stride, (first + k) * slab.stride + width),
  ]);
  const all = new Uint8Array(width * size);
  slab.takeCodes(all);
  slab.release();
  const codes = Array.from(columns, (column) =>
    Array.from({ length: width }, (_, r) => all[r * size + column] ?? -1),
  );
  return { codes: Uint8Array.from(codes.flat()), errors: Float32Array.from(errors.flat()) };
}

describe('a slab', () => {
  test.each(CASES.flatMap((shape) => gridsOf(6).map((grid) => ({ shape, grid }))))(
    'rounds $shape.count columns of $shape.width rows, $grid.bits bits, symmetric $grid.symmetric, as number by number',
    ({ shape, grid }) => {
      const block = blockOf(grid, shape);
      expect(bySlab(grid, block)).toEqual(plainly(grid, block));
    },
  );

  test('takes the even step of two that are as near', () => {
    const grid = gridsOf(4).find(({ bits, symmetric }) => bits === 4 && symmetric);
    if (grid === undefined) throw new Error('there is no such grid');
    const slab = new RoundingSlab(grid, 8, 1, 1);
    slab.load(0, {
      weights: Float32Array.from([-9, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 9], (v) => v / 4),
      scales: new Float32Array(8).fill(0.25),
      zeroPoints: new Uint8Array(8).fill(8),
    });
    slab.moves.fill(0);
    slab.round({
      columns: Uint32Array.of(0),
      shares: new Float32Array(1),
      ...{ first: 0, movesFrom: 0 },
    });
    const codes = new Uint8Array(8);
    slab.takeCodes(codes);
    slab.release();
    expect([...codes]).toEqual([0, 6, 6, 8, 8, 10, 10, 15]);
  });

  test('has memory of its own while another is at work', () => {
    const [grid] = gridsOf(4);
    if (grid === undefined) throw new Error('there is no grid');
    const [one, other] = [blockOf(grid, { width: 9, count: 4, columns: 4, moved: true }), 5];
    const slab = new RoundingSlab(grid, 9, 4, 4);
    slab.errors.fill(other);
    expect(bySlab(grid, one)).toEqual(plainly(grid, one));
    expect(slab.errors.every((error) => error === other)).toBe(true);
    slab.release();
  });

  test('has room for fewer rows of wide weights, always of some', () => {
    const [grid] = gridsOf(4);
    if (grid === undefined) throw new Error('there is no grid');
    const rows = [1536, 53248, 1e9].map((columns) =>
      RoundingSlab.mostRows({ ...grid, groupSize: 128 }, columns),
    );
    expect(rows[0]).toBeGreaterThan(1024);
    expect(rows[1]).toBeLessThan(128);
    expect(rows[2]).toBe(8);
    // Every weight has its own range.
    expect(RoundingSlab.mostRows({ ...grid, groupSize: 1 }, 53248)).toBeLessThan(rows[1] ?? 0);
  });
});
