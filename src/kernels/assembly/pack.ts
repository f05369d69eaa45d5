// Codes into int32 words: the first code in the lowest bits.

/** Packs pairs of codes, one a byte and below 16, into `count` bytes; writes up to 15 more. */
export function packNibbles(codes: usize, count: i32, packed: usize): void {
  const lowByte = i16x8.splat(0xff);
  const end = packed + count;
  for (; packed < end; packed += 16, codes += 32) {
    const a = v128.load(codes);
    const b = v128.load(codes, 16);
    // In each pair the second code is shifted from bit 8 down to bit 4.
    const pairsA = v128.and(v128.or(a, i16x8.shr_u(a, 4)), lowByte);
    const pairsB = v128.and(v128.or(b, i16x8.shr_u(b, 4)), lowByte);
    v128.store(packed, i8x16.narrow_i16x8_u(pairsA, pairsB));
  }
}

/**
 * Packs zero points `[rows, groups]`, one a byte, along the rows: word `[w, group]` holds rows
 * `w * 32/bits` and on, each moved up by half the code range. Rows beyond the last are zero.
 */
export function packZeroPoints(
  zeroPoints: usize,
  rows: i32,
  groups: i32,
  bits: i32,
  packed: usize,
): void {
  const perWord = 32 / bits;
  const offset = 1 << (bits - 1);
  for (let first = 0; first < rows; first += perWord) {
    const count = min(perWord, rows - first);
    for (let group = 0; group < groups; group++, packed += 4) {
      let word = 0;
      for (let i = 0; i < count; i++) {
        const zeroPoint = <i32>load<i8>(zeroPoints + (first + i) * groups + group);
        word |= (zeroPoint + offset) << (i * bits);
      }
      store<i32>(packed, word);
    }
  }
}
