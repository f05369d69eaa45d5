import { decodeFloat8 } from '../../kernels/index.js';
import type { Matrix } from '../linear-algebra/linear-algebra.js';
import type { EncodedFloat8, EncodedIntegers, EncodedWeight } from './encoded-weight.js';

/** The numbers that an encoded weight stands for, in f32. */
export function decodeWeight(weight: EncodedWeight): Matrix {
  const { rows, columns } = weight;
  const values = new Float32Array(rows * columns);
  decodeInto(weight, 0, rows, values);
  return { rows, columns, values };
}

/** Writes what rows `first` to `end` of an encoded weight stand for. */
export function decodeInto(
  weight: EncodedWeight,
  first: number,
  end: number,
  values: Float32Array,
): void {
  if (weight.kind === 'float8') decodeFloats(weight, first, end, values);
  else if (weight.groupOf === undefined) decodeGroups(weight, first, end, values);
  else decodeScattered(weight, weight.groupOf, first, end, values);
}

function decodeGroups(
  { rows, columns, groupSize, codes, scales, zeroPoints }: EncodedIntegers,
  first: number,
  end: number,
  values: Float32Array,
): void {
  let group = first * (scales.length / rows);
  let from = first * columns;
  let to = 0;
  for (let row = first; row < end; row++) {
    for (let column = 0; column < columns; column += groupSize, group++) {
      const scale = scales[group] ?? 0;
      const zeroPoint = zeroPoints[group] ?? 0;
      const groupEnd = from + Math.min(groupSize, columns - column);
      while (from < groupEnd) values[to++] = ((codes[from++] ?? 0) - zeroPoint) * scale;
    }
  }
}

/** Of a weight whose groups are not consecutive columns. */
function decodeScattered(
  { rows, columns, codes, scales, zeroPoints }: EncodedIntegers,
  groupOf: Uint32Array,
  first: number,
  end: number,
  values: Float32Array,
): void {
  const groups = scales.length / rows;
  for (let row = first; row < end; row++) {
    const to = (row - first) * columns;
    for (let column = 0; column < columns; column++) {
      const group = row * groups + (groupOf[column] ?? 0);
      const step = (codes[row * columns + column] ?? 0) - (zeroPoints[group] ?? 0);
      values[to + column] = step * (scales[group] ?? 0);
    }
  }
}

const FLOAT8_VALUES = Float32Array.from({ length: 256 }, (_, code) => decodeFloat8(code));

function decodeFloats(
  { columns, codes, scales }: EncodedFloat8,
  first: number,
  end: number,
  values: Float32Array,
): void {
  const start = first * columns;
  for (let row = first; row < end; row++) {
    const scale = scales[scales.length === 1 ? 0 : row] ?? 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) {
      values[at - start] = (FLOAT8_VALUES[codes[at] ?? 0] ?? 0) * scale;
    }
  }
}
