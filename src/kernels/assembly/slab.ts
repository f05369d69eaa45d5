// A slab is some whole rows of a weight, all in memory: its elements, and room for its codes, its
// scales and its zero points.
import {
  findRange,
  greatestBits,
  infinityBits,
  largestMagnitude,
  leastBits,
  magnitudeMask,
  toFloat,
} from './elements';
import { BLOCK } from './error';
import { encodeFloat8Block } from './float8';
import { encodeIntegerBlock, setIntegerCodes } from './integer';
import { packNibbles } from './pack';
import { fitsScaleType, loadScale, scaleBytes, storeScale } from './scale';

/** Kinds of code in calls from outside: the same in kernel-module.ts. */
export const FLOAT8: i32 = 0;
export const SYMMETRIC: i32 = 1;
export const ASYMMETRIC: i32 = 2;

/** What `encodeSlab` returns when all is well. */
const DONE: i32 = -1;

/** Where the last elements of a group are laid out as a whole vector, filled up with zeros. */
const PADDED: usize = 64;

/** The scale and zero point that `chooseScale` settled on, and where it went wrong. */
let scale: f32 = 1.0;
let zeroPoint: f32 = 0.0;

/**
 * Sets `scale` (as stored at `scaleAt`) and `zeroPoint` for `count` elements. False if there is no
 * such scale: an element is NaN or infinite, or all are too large for the scale's type.
 */
function chooseScale<T>(
  at: usize,
  count: i32,
  kind: i32,
  bits: i32,
  scaleType: i32,
  scaleAt: usize,
): bool {
  let exact: f64;
  let single: f32;
  let least: f32 = 0.0;
  if (kind == ASYMMETRIC) {
    findRange<T>(at, count);
    if (max(leastBits & magnitudeMask<T>(), greatestBits) >= infinityBits<T>()) return false;
    least = toFloat<T>(leastBits);
    const greatest = toFloat<T>(greatestBits);
    const steps = (1 << bits) - 1;
    exact = (<f64>greatest - <f64>least) / <f64>steps;
    single = (greatest - least) / <f32>steps;
    // The range of two large numbers need not fit an f32 where the scale does.
    if (single == Infinity) single = <f32>exact;
  } else {
    const magnitude = largestMagnitude<T>(at, count);
    if (magnitude >= infinityBits<T>()) return false;
    // Half of the code range for integers (7.5, 127.5), the largest number for FP8.
    const reach: f32 = kind == FLOAT8 ? 448.0 : <f32>((1 << bits) - 1) * 0.5;
    exact = <f64>toFloat<T>(magnitude) / <f64>reach;
    single = toFloat<T>(magnitude) / reach;
  }
  if (!fitsScaleType(single, scaleType)) return false;
  storeScale(exact, single, scaleType, scaleAt);
  scale = loadScale(scaleType, scaleAt);
  if (kind == ASYMMETRIC) chooseZeroPoint(least, exact, single, bits);
  return true;
}

/** The code that stands for zero: from the scale before it is rounded for storing. */
@inline
function chooseZeroPoint(least: f32, exact: f64, single: f32, bits: i32): void {
  const lowest = <f32>-(1 << (bits - 1));
  const highest = <f32>((1 << (bits - 1)) - 1);
  zeroPoint = 0.0;
  if (exact == 0.0) return;
  // Below the normal numbers the f32 quotient has lost its precision; the exact one has not.
  const normal = single >= f32.MIN_NORMAL_VALUE;
  const wanted = normal ? lowest - least / single : <f32>(<f64>lowest - <f64>least / exact);
  zeroPoint = nearest<f32>(min<f32>(max<f32>(wanted, lowest), highest));
}

/** Encodes one group into bytes at `codes`; up to 15 bytes after them are overwritten too. */
function encodeGroup<T>(at: usize, count: i32, kind: i32, codes: usize, element: i32): void {
  const whole = count & ~15;
  for (let done = 0; done < whole; done += BLOCK) {
    const length = min(BLOCK, whole - done);
    encodeBlock<T>(at + (<usize>done << alignof<T>()), length, kind, codes + done, element + done);
  }
  if (whole == count) return;
  const rest = <usize>(count - whole) << alignof<T>();
  memory.fill(PADDED, 0, 16 << alignof<T>());
  memory.copy(PADDED, at + (<usize>whole << alignof<T>()), rest);
  encodeBlock<T>(PADDED, 16, kind, codes + whole, element + whole);
}

@inline
function encodeBlock<T>(at: usize, count: i32, kind: i32, codes: usize, element: i32): void {
  if (kind == FLOAT8) encodeFloat8Block<T>(at, count, scale, codes, element);
  else if (kind == SYMMETRIC) encodeIntegerBlock<T, void>(at, count, scale, 0, codes, element);
  else encodeIntegerBlock<T, i32>(at, count, scale, zeroPoint, codes, element);
}

/**
 * Encodes `rows` rows of `columns` elements, with a scale for every `groupSize` columns.
 *
 * `codes` gets rows of whole int32 when `packed`, else of one byte a column; it and `rowCodes`
 * (needed for packed 4-bit codes, one byte a column) have 16 bytes to spare. `zeroPoints` gets one
 * byte for every scale. Returns -1, or the number of the first element of a group that no scale
 * can be given to.
 */
export function encodeSlab<T>(
  kind: i32,
  bits: i32,
  packed: bool,
  source: usize,
  rows: i32,
  columns: i32,
  groupSize: i32,
  scaleType: i32,
  codes: usize,
  rowCodes: usize,
  scales: usize,
  zeroPoints: usize,
): i32 {
  setIntegerCodes(bits, packed);
  const stride = packed ? ((columns * bits + 31) >> 5) << 2 : columns;
  for (let row = 0; row < rows; row++) {
    const byteCodes = packed && bits == 4 ? rowCodes : codes;
    for (let column = 0; column < columns; column += groupSize) {
      const group = source + (<usize>column << alignof<T>());
      const element = row * columns + column;
      if (!chooseScale<T>(group, groupSize, kind, bits, scaleType, scales)) return element;
      scales += scaleBytes(scaleType);
      if (kind == ASYMMETRIC) store<i8>(zeroPoints++, <i8>zeroPoint);
      encodeGroup<T>(group, groupSize, kind, byteCodes + column, element);
    }
    // What a row's last int32 has beyond the last column is zero, in whichever form.
    if (packed) store<u64>(byteCodes + columns, 0);
    if (packed && bits == 4) packNibbles(rowCodes, stride, codes);
    source += <usize>columns << alignof<T>();
    codes += stride;
  }
  return DONE;
}
