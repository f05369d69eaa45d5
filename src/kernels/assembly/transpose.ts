// Matrices turned from rows to columns.
import { storeTurned } from './errors';

/** Rows of f32 that are turned together: what they become fills whole cache lines. */
const FLOAT_ROWS: i32 = 16;

/** Turns `rows` rows of `columns` f32 at `source` into columns at `target`, each `turned` f32 after the one
 * before. */
export function transposeFloats(
  rows: i32,
  columns: i32,
  source: usize,
  target: usize,
  turned: i32,
): void {
  const stride = <usize>columns << 2;
  const turnedStride = <usize>turned << 2;
  const wholeRows = rows & ~3;
  const wholeColumns = columns & ~3;
  for (let top = 0; top < wholeRows; top += FLOAT_ROWS) {
    const bottom = min(wholeRows, top + FLOAT_ROWS);
    for (let column = 0; column < wholeColumns; column += 4) {
      const to = target + <usize>column * turnedStride;
      for (let row = top; row < bottom; row += 4) {
        const from = source + <usize>row * stride + (<usize>column << 2);
        storeTurned(
          to + (<usize>row << 2),
          turnedStride,
          v128.load(from),
          v128.load(from + stride),
          v128.load(from + 2 * stride),
          v128.load(from + 3 * stride),
        );
      }
    }
  }
  copyTurned<f32>(0, wholeRows, wholeColumns, columns, turned, columns, source, target);
  copyTurned<f32>(wholeRows, rows, 0, columns, turned, columns, source, target);
}

/** Turns `rows` rows of `columns` bytes at `source` into columns, `[columns, rows]`, at `target`. */
export function transposeBytes(rows: i32, columns: i32, source: usize, target: usize): void {
  const wholeRows = rows & ~7;
  const wholeColumns = columns & ~7;
  for (let row = 0; row < wholeRows; row += 8) {
    for (let column = 0; column < wholeColumns; column += 8) {
      turnBytes(
        source + <usize>(row * columns + column),
        <usize>columns,
        target + <usize>(column * rows + row),
        <usize>rows,
      );
    }
  }
  copyTurned<u8>(0, wholeRows, wholeColumns, columns, rows, columns, source, target);
  copyTurned<u8>(wholeRows, rows, 0, columns, rows, columns, source, target);
}

/** Turns 8 × 8 bytes; `stride` and `turnedStride` are from one row to the next. */
@inline
function turnBytes(source: usize, stride: usize, target: usize, turnedStride: usize): void {
  const a = pairs(source, stride);
  const b = pairs(source + 2 * stride, stride);
  const c = pairs(source + 4 * stride, stride);
  const d = pairs(source + 6 * stride, stride);
  // Columns of four rows each, then of all eight.
  const low0 = v128.shuffle<u16>(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
  const low4 = v128.shuffle<u16>(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
  const high0 = v128.shuffle<u16>(c, d, 0, 8, 1, 9, 2, 10, 3, 11);
  const high4 = v128.shuffle<u16>(c, d, 4, 12, 5, 13, 6, 14, 7, 15);
  storeTwo(target, turnedStride, v128.shuffle<u32>(low0, high0, 0, 4, 1, 5));
  storeTwo(target + 2 * turnedStride, turnedStride, v128.shuffle<u32>(low0, high0, 2, 6, 3, 7));
  storeTwo(target + 4 * turnedStride, turnedStride, v128.shuffle<u32>(low4, high4, 0, 4, 1, 5));
  storeTwo(target + 6 * turnedStride, turnedStride, v128.shuffle<u32>(low4, high4, 2, 6, 3, 7));
}

/** 8 bytes each of two rows, in turn. */
@inline
function pairs(source: usize, stride: usize): v128 {
  return v128.shuffle<u8>(
    v128.load64_zero(source),
    v128.load64_zero(source + stride),
    0,
    16,
    1,
    17,
    2,
    18,
    3,
    19,
    4,
    20,
    5,
    21,
    6,
    22,
    7,
    23,
  );
}

@inline
function storeTwo(target: usize, stride: usize, columns: v128): void {
  v128.store64_lane(target, columns, 0);
  v128.store64_lane(target + stride, columns, 1);
}

/** Turns some rows of some columns element by element; `turned` elements from one column to the next. */
@inline
function copyTurned<T>(
  top: i32,
  bottom: i32,
  left: i32,
  right: i32,
  turned: i32,
  columns: i32,
  source: usize,
  target: usize,
): void {
  for (let row = top; row < bottom; row++) {
    for (let column = left; column < right; column++) {
      const element = load<T>(source + <usize>(row * columns + column) * sizeof<T>());
      store<T>(target + <usize>(column * turned + row) * sizeof<T>(), element);
    }
  }
}
