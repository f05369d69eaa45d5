// Rounding of some columns one after the other, each after it was moved to where it makes up for the
// errors of those before. The columns lie one after the other: neighbours in a vector are rows, which
// have nothing to do with each other.
import { highestCode, loadTwo, nearestCodes } from './grid';

/** Rows that are worked on together. */
const LANES: i32 = 8;
/** Rows whose errors stay in the cache while all columns are rounded. */
const TILE: i32 = 64;

/**
 * Rounds `count` columns of `rows` rows, a multiple of 8.
 *
 * `targets`, f32, and `codes`, bytes, are `[all columns, rows]`; `columns` (i32) tells which of them
 * these are. `moves` (by the errors before these columns) and `errors` are f32, `[count, rows]`. `shares`
 * are f64, `[count, count]`: by how much the error of an earlier column moves a later one. Scales and zero
 * points are f32, `[groups, rows]`, a group for each `groupSize` columns. `room` holds 64·count f64.
 */
export function compensateBlock(
  count: i32,
  rows: i32,
  groupSize: i32,
  columns: usize,
  targets: usize,
  moves: usize,
  shares: usize,
  scales: usize,
  zeroPoints: usize,
  codes: usize,
  errors: usize,
  room: usize,
): void {
  for (let tile = 0; tile < rows; tile += TILE) {
    const end = min(rows, tile + TILE);
    for (let k = 0; k < count; k++) {
      const shareAt = shares + (<usize>(k * count) << 3);
      const column = load<i32>(columns + (<usize>k << 2));
      const group = column / groupSize;
      for (let row = tile; row < end; row += LANES) {
        const index = <usize>(k * rows + row) << 2;
        const own = <usize>(column * rows + row);
        const scale = <usize>(group * rows + row) << 2;
        roundLanes(
          k,
          targets + (own << 2),
          moves + index,
          shareAt,
          scales + scale,
          zeroPoints + scale,
          codes + own,
          errors + index,
          room + (<usize>(row - tile) << 3),
        );
      }
    }
  }
}

/** Rounds 8 rows of column k. `room` has the errors of the columns before it, in f64. */
@inline
function roundLanes(
  k: i32,
  targets: usize,
  moves: usize,
  shares: usize,
  scales: usize,
  zeroPoints: usize,
  codes: usize,
  errors: usize,
  room: usize,
): void {
  const target0 = loadTwo(targets);
  const target1 = loadTwo(targets + 8);
  const target2 = loadTwo(targets + 16);
  const target3 = loadTwo(targets + 24);
  let moved0 = f64x2.add(target0, loadTwo(moves));
  let moved1 = f64x2.add(target1, loadTwo(moves + 8));
  let moved2 = f64x2.add(target2, loadTwo(moves + 16));
  let moved3 = f64x2.add(target3, loadTwo(moves + 24));
  let from = room;
  for (let j = 0; j < k; j++, from += TILE << 3) {
    const share = v128.load64_splat(shares + (<usize>j << 3));
    moved0 = f64x2.add(moved0, f64x2.mul(share, v128.load(from)));
    moved1 = f64x2.add(moved1, f64x2.mul(share, v128.load(from, 16)));
    moved2 = f64x2.add(moved2, f64x2.mul(share, v128.load(from, 32)));
    moved3 = f64x2.add(moved3, f64x2.mul(share, v128.load(from, 48)));
  }
  const code0 = roundTwo(moved0, target0, scales, zeroPoints, errors, from);
  const code1 = roundTwo(moved1, target1, scales + 8, zeroPoints + 8, errors + 8, from + 16);
  const code2 = roundTwo(moved2, target2, scales + 16, zeroPoints + 16, errors + 16, from + 32);
  const code3 = roundTwo(moved3, target3, scales + 24, zeroPoints + 24, errors + 24, from + 48);
  const words = i16x8.narrow_i32x4_s(
    v128.shuffle<u32>(code0, code1, 0, 1, 4, 5),
    v128.shuffle<u32>(code2, code3, 0, 1, 4, 5),
  );
  store<i64>(codes, i64x2.extract_lane(i8x16.narrow_i16x8_u(words, words), 0));
}

/** Rounds two rows and stores their errors, twice; returns their codes, the first two of i32x4. */
@inline
function roundTwo(
  moved: v128,
  target: v128,
  scaleAt: usize,
  zeroPointAt: usize,
  errorAt: usize,
  roomAt: usize,
): v128 {
  const scales = loadTwo(scaleAt);
  const zeros = loadTwo(zeroPointAt);
  const codes = nearestCodes(f64x2.div(moved, scales), zeros, f64x2.splat(highestCode));
  const off = f64x2.sub(target, f64x2.mul(f64x2.sub(codes, zeros), scales));
  const single = f32x4.demote_f64x2_zero(off);
  store<i64>(errorAt, i64x2.extract_lane(single, 0));
  v128.store(roomAt, f64x2.promote_low_f32x4(single));
  return i32x4.trunc_sat_f64x2_s_zero(codes);
}
