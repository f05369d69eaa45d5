/** Below this, UTF-16 code units sort as UTF-8 bytes do. */
const FIRST_SURROGATE = 0xd800;
const FIRST_AFTER_SURROGATES = 0xe000;

/**
 * Compares two strings by their UTF-8 bytes, the order in which S3 lists keys. It differs from
 * JavaScript's own order where a surrogate pair meets a character from U+E000 on.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) {
      return left < FIRST_SURROGATE || right < FIRST_SURROGATE
        ? left - right
        : rank(left) - rank(right);
    }
  }
  return a.length - b.length;
}

/** Puts surrogates, which stand for characters from U+10000 on, behind U+E000 to U+FFFF. */
function rank(unit: number): number {
  return unit < FIRST_AFTER_SURROGATES ? unit + 0x10000 : unit;
}
