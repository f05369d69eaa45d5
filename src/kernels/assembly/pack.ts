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
 * Packs `count` codes, one a byte and below 2^bits, one right behind the other, so that they may
 * straddle words. What the last word has beyond them is zero.
 */
export function packBits(codes: usize, count: i32, bits: i32, packed: usize): void {
  let word: u64 = 0;
  let filled: u64 = 0;
  for (const end = codes + count; codes < end; codes++) {
    word |= <u64>load<u8>(codes) << filled;
    filled += bits;
    if (filled < 32) continue;
    store<u32>(packed, <u32>word);
    packed += 4;
    word >>= 32;
    filled -= 32;
  }
  if (filled > 0) store<u32>(packed, <u32>word);
}

/**
 * Packs zero points `[rows, groups]`, one a byte, along the rows: column `group` of the words is a
 * stream of bits, each zero point moved up by half the code range. Rows beyond the last are zero.
 */
export function packZeroPoints(
  zeroPoints: usize,
  rows: i32,
  groups: i32,
  bits: i32,
  packed: usize,
): void {
  const offset = 1 << (bits - 1);
  for (let group = 0; group < groups; group++) {
    let word: u64 = 0;
    let filled: u64 = 0;
    let at = packed + (group << 2);
    for (let row = 0; row < rows; row++) {
      const zeroPoint = <i32>load<i8>(zeroPoints + row * groups + group);
      word |= <u64>(zeroPoint + offset) << filled;
      filled += bits;
      if (filled < 32) continue;
      store<u32>(at, <u32>word);
      at += groups << 2;
      word >>= 32;
      filled -= 32;
    }
    if (filled > 0) store<u32>(at, <u32>word);
  }
}
