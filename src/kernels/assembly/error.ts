// What encoding costs, summed up while the numbers are at hand.
//
// Blocks work in units of the scale, where no square overflows or vanishes whatever the size of
// the weights, in f32 lanes; each block of at most BLOCK elements is then added up in f64, so the
// sums stay exact to about 1e-7 however many elements there are.

/** Most elements summed in f32 lanes. */
export const BLOCK: i32 = 512;

let squaredErrors: v128 = f64x2.splat(0.0);
let squares: v128 = f64x2.splat(0.0);
/** The largest squared error so far, and the number of the block that holds it. */
export let worstSquare: f64 = 0.0;
export let worstBlock: i32 = -1;

/** Begins the sums and the worst error anew. */
export function resetErrors(): void {
  squaredErrors = f64x2.splat(0.0);
  squares = f64x2.splat(0.0);
  worstSquare = 0.0;
  worstBlock = -1;
}

@inline
function sumPairs(lanes: v128): v128 {
  return f64x2.add(
    f64x2.promote_low_f32x4(lanes),
    f64x2.promote_low_f32x4(v128.shuffle<u32>(lanes, lanes, 2, 3, 0, 1)),
  );
}

/** Adds a block's sums, in units of the squared scale; `block` is its number for `worstBlock`. */
@inline
export function addBlock(
  blockErrors: v128,
  blockWorst: v128,
  blockSquares: v128,
  scale: f32,
  block: i32,
): void {
  const unit = <f64>scale * <f64>scale;
  squaredErrors = f64x2.add(squaredErrors, f64x2.mul(sumPairs(blockErrors), f64x2.splat(unit)));
  squares = f64x2.add(squares, f64x2.mul(sumPairs(blockSquares), f64x2.splat(unit)));
  let worst = f32x4.pmax(blockWorst, v128.shuffle<u32>(blockWorst, blockWorst, 2, 3, 0, 1));
  worst = f32x4.pmax(worst, v128.shuffle<u32>(worst, worst, 1, 0, 3, 2));
  const square = <f64>f32x4.extract_lane(worst, 0) * unit;
  if (square > worstSquare) {
    worstSquare = square;
    worstBlock = block;
  }
}

@inline
export function sumOfSquaredErrors(): f64 {
  return f64x2.extract_lane(squaredErrors, 0) + f64x2.extract_lane(squaredErrors, 1);
}

@inline
export function sumOfSquares(): f64 {
  return f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1);
}
