// The module's exports. Memory is laid out by the caller: pointers are byte addresses.
import { encodeBlockRows } from './blocks';
import { findNonFinite as findNonFiniteElement } from './elements';
import { resetErrors, sumOfSquaredErrors, sumOfSquares, worstBlock, worstSquare } from './error';
import { BF16, F16, F32 } from './scale';
import { encodeSlab } from './slab';

export { candidateErrors, candidateProducts, coverShares } from './candidates';
export { compensateBlock } from './compensate';
export { dotProduct, turnErrors } from './errors';
export { factorSquare, invertFactor } from './factor';
export { setCodeGrid } from './grid';
export { packZeroPoints } from './pack';
export { chooseRanges } from './ranges';
export { roundScaled } from './scaled';
export { transposeBytes, transposeFloats } from './transpose';

/** Bytes below this address belong to the kernels. */
export function firstFree(): usize {
  return __heap_base;
}

/**
 * Encodes a slab (see `encodeSlab`) of elements of `sourceType`; returns what that does. The errors'
 * sums start from zero.
 */
export function quantizeSlab(
  sourceType: i32,
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
  resetErrors();
  if (sourceType == F32) {
    return encodeSlab<f32>(
      kind,
      bits,
      packed,
      source,
      rows,
      columns,
      groupSize,
      scaleType,
      codes,
      rowCodes,
      scales,
      zeroPoints,
    );
  }
  if (sourceType == F16) {
    return encodeSlab<i16>(
      kind,
      bits,
      packed,
      source,
      rows,
      columns,
      groupSize,
      scaleType,
      codes,
      rowCodes,
      scales,
      zeroPoints,
    );
  }
  return encodeSlab<u16>(
    kind,
    bits,
    packed,
    source,
    rows,
    columns,
    groupSize,
    scaleType,
    codes,
    rowCodes,
    scales,
    zeroPoints,
  );
}

/** Encodes rows of elements of `sourceType` in blocks (see `encodeBlockRows`); returns what that does. */
export function encodeBlocks(
  sourceType: i32,
  bits: i32,
  source: usize,
  rows: i32,
  columns: i32,
  blockSize: i32,
  codes: usize,
  codeStride: i32,
  scales: usize,
  scaleStride: i32,
  zeroPoints: usize,
  zeroPointStride: i32,
  floats: usize,
  bytes: usize,
): i32 {
  if (sourceType == F32) {
    return encodeBlockRows<f32>(
      bits,
      source,
      rows,
      columns,
      blockSize,
      codes,
      codeStride,
      scales,
      scaleStride,
      zeroPoints,
      zeroPointStride,
      floats,
      bytes,
    );
  }
  if (sourceType == F16) {
    return encodeBlockRows<i16>(
      bits,
      source,
      rows,
      columns,
      blockSize,
      codes,
      codeStride,
      scales,
      scaleStride,
      zeroPoints,
      zeroPointStride,
      floats,
      bytes,
    );
  }
  return encodeBlockRows<u16>(
    bits,
    source,
    rows,
    columns,
    blockSize,
    codes,
    codeStride,
    scales,
    scaleStride,
    zeroPoints,
    zeroPointStride,
    floats,
    bytes,
  );
}

/** Sum over the last slab's elements of (w - decoded w)^2. */
export function lastSquaredErrors(): f64 {
  return sumOfSquaredErrors();
}

/** Sum over the last slab's elements of w^2. */
export function lastSquares(): f64 {
  return sumOfSquares();
}

/** The last slab's largest squared error, to f32 precision. */
export function lastWorstSquare(): f64 {
  return worstSquare;
}

/**
 * Where the last slab's worst error is: the number of the first element of a block that ends after
 * BLOCK elements or with its group. -1 if there was no error at all.
 */
export function lastWorstBlock(): i32 {
  return worstBlock;
}

/** The index of the first NaN or infinity among `count` elements of `type`; -1 if none is. */
export function findNonFinite(type: i32, at: usize, count: i32): i32 {
  if (type == F32) return findNonFiniteElement<f32>(at, count);
  return type == F16 ? findNonFiniteElement<i16>(at, count) : findNonFiniteElement<u16>(at, count);
}
