import { decodeFloat8 } from '../../kernels/index.js';
import type { Matrix } from '../linear-algebra/linear-algebra.js';
import type { EncodedFloat8, EncodedIntegers, EncodedWeight } from './encoded-weight.js';

/** The numbers that an encoded weight stands for, in f32. */
export function decodeWeight(weight: EncodedWeight): Matrix {
  const { rows, columns } = weight;
  const values = new Float32Array(rows * columns);
  if (weight.kind === 'float8') decodeFloats(weight, values);
  else if (weight.groupOf === undefined) decodeGroups(weight, values);
  else decodeScattered(weight, weight.groupOf, values);
  return { rows, columns, values };
}

function decodeGroups(
  { rows, columns, groupSize, codes, scales, zeroPoints }: EncodedIntegers,
  values: Float32Array,
): void {
  let group = 0;
  let at = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column += groupSize, group++) {
      const scale = scales[group] ?? 0;
      const zeroPoint = zeroPoints[group] ?? 0;
      const groupEnd = at + Math.min(groupSize, columns - column);
      for (; at < groupEnd; at++) values[at] = ((codes[at] ?? 0) - zeroPoint) * scale;
    }
  }
}

/** Of a weight whose groups are not consecutive columns. */
function decodeScattered(
  { rows, columns, codes, scales, zeroPoints }: EncodedIntegers,
  groupOf: Uint32Array,
  values: Float32Array,
): void {
  const groups = scales.length / rows;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const group = row * groups + (groupOf[column] ?? 0);
      const step = (codes[row * columns + column] ?? 0) - (zeroPoints[group] ?? 0);
      values[row * columns + column] = step * (scales[group] ?? 0);
    }
  }
}

const FLOAT8_VALUES = Float32Array.from({ length: 256 }, (_, code) => decodeFloat8(code));

function decodeFloats({ rows, columns, codes, scales }: EncodedFloat8, values: Float32Array): void {
  for (let row = 0; row < rows; row++) {
    const scale = scales[scales.length === 1 ? 0 : row] ?? 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) {
      values[at] = (FLOAT8_VALUES[codes[at] ?? 0] ?? 0) * scale;
    }
  }
}
