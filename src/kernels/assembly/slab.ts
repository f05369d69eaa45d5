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
import { packBits, packNibbles } from './pack';
import { loadScale, scaleBytes, storeScale } from './scale';

/** Kinds of code in calls from outside: the same in kernel-module.ts. */
export const FLOAT8: i32 = 0;
export const SYMMETRIC: i32 = 1;
export const ASYMMETRIC: i32 = 2;

/** What `encodeSlab` returns when all is well. */
const DONE: i32 = -1;

/** Where the last elements of a group are laid out as a whole vector, filled up with zeros. */
const PADDED: usize = memory.data(64, 16);

/**
 * Stores the scale (and, for ASYMMETRIC, the zero point) of `count` elements. False if there is
 * none: an element is NaN or infinite, or they are too large for the scale's type.
 */
@inline
function storeGroup<T>(
  at: usize,
  count: i32,
  kind: i32,
  bits: i32,
  scaleType: i32,
  scaleAt: usize,
  zeroPointAt: usize,
): bool {
  if (kind == ASYMMETRIC) {
    findRange<T>(at, count);
    if (max(leastBits & magnitudeMask<T>(), greatestBits) >= infinityBits<T>()) return false;
    const least = toFloat<T>(leastBits);
    const greatest = toFloat<T>(greatestBits);
    const range = <f64>greatest - <f64>least;
    const steps = <f32>((1 << bits) - 1);
    let single = (greatest - least) / steps;
    // The range of two large numbers need not fit an f32 where the scale does.
    if (single == Infinity) single = <f32>(range / <f64>steps);
    store<i8>(zeroPointAt, zeroPointOf(least, range, steps, single, bits));
    return storeScale(range, steps, single, scaleType, scaleAt);
  }
  const magnitude = largestMagnitude<T>(at, count);
  if (magnitude >= infinityBits<T>()) return false;
  // Half of the code range for integers (7.5, 127.5), the largest number for FP8.
  const reach: f32 = kind == FLOAT8 ? 448.0 : <f32>((1 << bits) - 1) * 0.5;
  const largest = toFloat<T>(magnitude);
  return storeScale(<f64>largest, reach, largest / reach, scaleType, scaleAt);
}

/** The code that stands for zero: from the scale before it is rounded for storing. */
@inline
function zeroPointOf(least: f32, range: f64, steps: f32, single: f32, bits: i32): i8 {
  const lowest = <f32>-(1 << (bits - 1));
  const highest = <f32>((1 << (bits - 1)) - 1);
  let wanted = lowest - least / single;
  if (single < f32.MIN_NORMAL_VALUE) {
    if (range == 0.0) return 0;
    // Here the f32 quotient has lost its precision; the exact one has not.
    wanted = <f32>(<f64>lowest - <f64>least / (range / <f64>steps));
  }
  return <i8>nearest<f32>(min<f32>(max<f32>(wanted, lowest), highest));
}

/** Encodes one group into bytes at `codes`; up to 15 bytes after them are overwritten too. */
@inline
function encodeGroup<T>(
  at: usize,
  count: i32,
  kind: i32,
  scale: f32,
  zeroPoint: f32,
  codes: usize,
  element: i32,
): void {
  const whole = count & ~15;
  for (let done = 0; done < whole; done += BLOCK) {
    const start = at + (<usize>done << alignof<T>());
    const length = min(BLOCK, whole - done);
    encodeBlock<T>(start, length, kind, scale, zeroPoint, codes + done, element + done);
  }
  if (whole == count) return;
  const start = at + (<usize>whole << alignof<T>());
  memory.fill(PADDED, 0, 16 << alignof<T>());
  memory.copy(PADDED, start, <usize>(count - whole) << alignof<T>());
  encodeBlock<T>(PADDED, 16, kind, scale, zeroPoint, codes + whole, element + whole);
}

@inline
function encodeBlock<T>(
  at: usize,
  count: i32,
  kind: i32,
  scale: f32,
  zeroPoint: f32,
  codes: usize,
  element: i32,
): void {
  if (kind == FLOAT8) encodeFloat8Block<T>(at, count, scale, codes, element);
  else if (kind == SYMMETRIC) encodeIntegerBlock<T, void>(at, count, scale, 0, codes, element);
  else encodeIntegerBlock<T, i32>(at, count, scale, zeroPoint, codes, element);
}

/**
 * Encodes `rows` rows of `columns` elements, with a scale for every `groupSize` columns.
 *
 * `codes` gets rows of whole int32 when `packed`, else of one byte a column; it and `rowCodes`
 * (needed for packed codes of less than 8 bits, one byte a column) have 16 bytes to spare. `zeroPoints` gets one
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
  const groups = columns / groupSize;
  const scaleSize = <i32>scaleBytes(scaleType);
  for (let row = 0; row < rows; row++) {
    const byteCodes = packed && bits < 8 ? rowCodes : codes;
    // All of a row's scales first: no group's codes then have to wait for its own scale.
    for (let group = 0; group < groups; group++) {
      const column = group * groupSize;
      const stored = storeGroup<T>(
        source + (<usize>column << alignof<T>()),
        groupSize,
        kind,
        bits,
        scaleType,
        scales + group * scaleSize,
        zeroPoints + group,
      );
      if (!stored) return row * columns + column;
    }
    for (let group = 0; group < groups; group++) {
      const column = group * groupSize;
      encodeGroup<T>(
        source + (<usize>column << alignof<T>()),
        groupSize,
        kind,
        loadScale(scaleType, scales + group * scaleSize),
        kind == ASYMMETRIC ? <f32>load<i8>(zeroPoints + group) : 0,
        byteCodes + column,
        row * columns + column,
      );
    }
    scales += groups * scaleSize;
    if (kind == ASYMMETRIC) zeroPoints += groups;
    // What a row's last int32 has beyond the last column is zero, in whichever form.
    if (packed) store<u64>(byteCodes + columns, 0);
    if (packed && bits == 4) packNibbles(rowCodes, stride, codes);
    else if (packed && bits < 8) packBits(rowCodes, columns, bits, codes);
    source += <usize>columns << alignof<T>();
    codes += stride;
  }
  return DONE;
}
