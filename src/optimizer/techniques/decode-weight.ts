import { decodeFloat8 } from '../../kernels/index.js';
import type { Matrix } from '../linear-algebra/linear-algebra.js';
import type { EncodedFloat8, EncodedIntegers, EncodedWeight } from './encoded-weight.js';

/** The numbers that an encoded weight stands for, in f32. */
export function decodeWeight(weight: EncodedWeight): Matrix {
  const values = weight.kind === 'integers' ? decodeIntegers(weight) : decodeFloats(weight);
  return { rows: weight.rows, columns: weight.columns, values };
}

function decodeIntegers(weight: EncodedIntegers): Float32Array {
  const { rows, columns, groupSize, codes, scales, zeroPoints } = weight;
  const groups = scales.length / rows;
  const groupOf =
    weight.groupOf ?? Uint32Array.from({ length: columns }, (_, c) => Math.floor(c / groupSize));
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      const group = row * groups + (groupOf[column] ?? 0);
      values[at] = ((codes[at] ?? 0) - (zeroPoints[group] ?? 0)) * (scales[group] ?? 0);
    }
  }
  return values;
}

const FLOAT8_VALUES = Float32Array.from({ length: 256 }, (_, code) => decodeFloat8(code));

function decodeFloats({ rows, columns, codes, scales }: EncodedFloat8): Float32Array {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const scale = scales[scales.length === 1 ? 0 : row] ?? 0;
    for (let at = row * columns; at < (row + 1) * columns; at++) {
      values[at] = (FLOAT8_VALUES[codes[at] ?? 0] ?? 0) * scale;
    }
  }
  return values;
}
