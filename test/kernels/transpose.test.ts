import { describe, expect, test } from 'vitest';
import { transpose } from '#burnish/kernels/index.js';

/** A number for each place, no two beside one another alike. */
const at = (row: number, column: number): number => (row * 31 + column * 7) % 251;

/** Rows and columns on and beside what is turned at a time, and more than is held at a time. */
const SHAPES = [
  [1, 1],
  [4, 4],
  [8, 8],
  [3, 70],
  [17, 9],
  [31, 24],
  [16, 1],
  [40, 33],
  [2100, 601],
] as const;

describe('a matrix turned into its columns', () => {
  for (const Numbers of [Float32Array, Uint8Array]) {
    test.each(SHAPES)(`of %i rows and %i columns, ${Numbers.name}`, (rows, columns) => {
      const numbers = (of: (i: number) => number): number[] =>
        Array.from({ length: rows * columns }, (_, i) => of(i));
      const values = new Numbers(numbers((i) => at(Math.floor(i / columns), i % columns)));
      const expected = new Numbers(numbers((i) => at(i % rows, Math.floor(i / rows))));
      const target = new Numbers(rows * columns);
      transpose(values, columns, target);
      expect(Buffer.from(target.buffer).equals(Buffer.from(expected.buffer))).toBe(true);
    });
  }

  test('may have room between columns, which is left alone', () => {
    const target = new Float32Array(10).fill(9);
    transpose(Float32Array.of(1, 2, 3, 4, 5, 6), 3, target, 4);
    expect([...target]).toEqual([1, 4, 9, 9, 2, 5, 9, 9, 3, 6]);
  });

  test('is refused where it does not fit', () => {
    expect(() => transpose(new Uint8Array(6), 3, new Uint8Array(6), 3)).toThrow(RangeError);
  });
});
