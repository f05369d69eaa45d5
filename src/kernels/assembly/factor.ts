// The square at the end of a panel of a Gram matrix: its factor, and what the panel's other columns
// are multiplied by. All is in f64; every element is changed by the same rows in the same order as
// row by row.

/** Rows that others are freed of at a time, so that each pass over those does four times the work. */
const STRIP: i32 = 4;

/**
 * Factors a symmetric matrix into `Lᵀ·D·L`, L unit lower triangular, from its last row up.
 *
 * `square` is f32, `[size, size]`; its lower triangle is read, and it gets L with zeros on and above the
 * diagonal. `lower` is room for f64 rows of `size` (made even) elements, and has L's lower triangle at
 * the end. `pivots` gets D, f64. False if a pivot is not positive.
 */
export function factorSquare(size: i32, square: usize, lower: usize, pivots: usize): bool {
  const stride = <usize>((size + 1) & ~1) << 3;
  for (let i = 0; i < size; i++) {
    const from = square + (<usize>(i * size) << 2);
    const to = lower + <usize>i * stride;
    for (let j: usize = 0; j <= <usize>i; j++) store<f64>(to + (j << 3), <f64>load<f32>(from + (j << 2)));
    if ((i & 1) == 0) store<f64>(to + (<usize>(i + 1) << 3), 0.0);
  }
  for (let top = size; top > 0; top -= STRIP) {
    const bottom = max(0, top - STRIP);
    for (let k = top - 1; k >= bottom; k--) {
      const row = lower + <usize>k * stride;
      const pivot = load<f64>(row + (<usize>k << 3));
      if (!(pivot > 0)) return false;
      store<f64>(pivots + (<usize>k << 3), pivot);
      for (let i = bottom; i < k; i++) {
        const share = load<f64>(row + (<usize>i << 3)) / pivot;
        subtractRow(lower + <usize>i * stride, i, row, f64x2.splat(share));
      }
    }
    if (bottom > 0) subtractStrip(lower, stride, bottom, pivots);
  }
  for (let k = 0; k < size; k++) {
    const row = lower + <usize>k * stride;
    const to = square + (<usize>(k * size) << 2);
    const pivot = load<f64>(pivots + (<usize>k << 3));
    for (let j = 0; j < k; j++) {
      const at = row + (<usize>j << 3);
      const element = load<f64>(at) / pivot;
      store<f64>(at, element);
      store<f32>(to + (<usize>j << 2), <f32>element);
    }
    memory.fill(to + (<usize>k << 2), 0, <usize>(size - k) << 2);
  }
  return true;
}

/** Subtracts a share of a row from elements 0 to `last` of another; one more may change. */
@inline
function subtractRow(target: usize, last: i32, row: usize, share: v128): void {
  for (let j: usize = 0; j <= <usize>last; j += 2) {
    const at = target + (j << 3);
    v128.store(at, f64x2.sub(v128.load(at), f64x2.mul(share, v128.load(row + (j << 3)))));
  }
}

/** Frees all rows before a whole strip of what its rows have in them, the strip's last row first. */
@inline
function subtractStrip(lower: usize, stride: usize, bottom: i32, pivots: usize): void {
  const row0 = lower + <usize>bottom * stride;
  const row1 = row0 + stride;
  const row2 = row1 + stride;
  const row3 = row2 + stride;
  const pivotAt = pivots + (<usize>bottom << 3);
  for (let i = 0; i < bottom; i++) {
    const column = <usize>i << 3;
    const share0 = f64x2.splat(load<f64>(row0 + column) / load<f64>(pivotAt));
    const share1 = f64x2.splat(load<f64>(row1 + column) / load<f64>(pivotAt, 8));
    const share2 = f64x2.splat(load<f64>(row2 + column) / load<f64>(pivotAt, 16));
    const share3 = f64x2.splat(load<f64>(row3 + column) / load<f64>(pivotAt, 24));
    const target = lower + <usize>i * stride;
    for (let at: usize = 0; at <= column; at += 16) {
      let elements = v128.load(target + at);
      elements = f64x2.sub(elements, f64x2.mul(share3, v128.load(row3 + at)));
      elements = f64x2.sub(elements, f64x2.mul(share2, v128.load(row2 + at)));
      elements = f64x2.sub(elements, f64x2.mul(share1, v128.load(row1 + at)));
      elements = f64x2.sub(elements, f64x2.mul(share0, v128.load(row0 + at)));
      v128.store(target + at, elements);
    }
  }
}

/**
 * Writes `D⁻¹·L⁻ᵀ`, f32, to `solver`, for `lower` and `pivots` as `factorSquare` leaves them. `inverse`
 * is room like `lower`.
 */
export function invertFactor(
  size: i32,
  lower: usize,
  pivots: usize,
  inverse: usize,
  solver: usize,
): void {
  const stride = <usize>((size + 1) & ~1) << 3;
  memory.fill(inverse, 0, <usize>size * stride);
  memory.fill(solver, 0, <usize>(size * size) << 2);
  for (let i = 0; i < size; i++) {
    // Row i of L⁻¹ is that of the identity less L[i, j] times row j of L⁻¹ for all j < i.
    const row = lower + <usize>i * stride;
    const target = inverse + <usize>i * stride;
    store<f64>(target + (<usize>i << 3), 1.0);
    let j = 0;
    for (; j + STRIP <= i; j += STRIP) {
      const column = <usize>j << 3;
      const share0 = v128.load64_splat(row + column);
      const share1 = v128.load64_splat(row + column, 8);
      const share2 = v128.load64_splat(row + column, 16);
      const share3 = v128.load64_splat(row + column, 24);
      const row0 = inverse + <usize>j * stride;
      const row1 = row0 + stride;
      const row2 = row1 + stride;
      const row3 = row2 + stride;
      // Rows of the inverse are zero behind their diagonal.
      for (let at: usize = 0; at < column + 32; at += 16) {
        let elements = v128.load(target + at);
        elements = f64x2.sub(elements, f64x2.mul(share0, v128.load(row0 + at)));
        elements = f64x2.sub(elements, f64x2.mul(share1, v128.load(row1 + at)));
        elements = f64x2.sub(elements, f64x2.mul(share2, v128.load(row2 + at)));
        elements = f64x2.sub(elements, f64x2.mul(share3, v128.load(row3 + at)));
        v128.store(target + at, elements);
      }
    }
    for (; j < i; j++) {
      const share = v128.load64_splat(row + (<usize>j << 3));
      subtractRow(target, j, inverse + <usize>j * stride, share);
    }
    for (let k = 0; k <= i; k++) {
      const element = load<f64>(target + (<usize>k << 3)) / load<f64>(pivots + (<usize>k << 3));
      store<f32>(solver + (<usize>(k * size + i) << 2), <f32>element);
    }
  }
}
