import { roundTo } from '../../techniques/float-rounding.js';
import { CompilationError } from '../errors.js';
import type { FloatElement } from '../graph/element.js';
import { blocksOf, type CodeForm, middleCode } from './code-form.js';
import { CodePacker } from './pack-codes.js';

/** Some rows of a weight as codes, scales and zero points. */
export interface CodedRows {
  readonly codes: Uint8Array;
  /** As stored: rounded to the type of scales. */
  readonly scales: Float32Array;
  /** Undefined where the form has none. */
  readonly zeroPoints: Uint8Array | undefined;
}

/** Where the scale puts a block's largest weight, in codes from zero. The widest step uses the whole
 * range; narrower ones clip that weight and serve the others. The best of them by squared error is
 * taken for each block. */
const SYMMETRIC_REACHES: Readonly<Record<4 | 8, readonly number[]>> = {
  4: [-8, -7.2, -8.8, 7],
  8: [-128],
};

/** Rounds rows of a weight to codes, block by block.
 * @param values `[rows, columns]`.
 * @param name of the weight, for messages.
 * @throws CompilationError if there is a weight that is no number. */
export function encodeCodes(
  values: Float32Array,
  columns: number,
  form: CodeForm,
  scaleElement: FloatElement,
  name: string,
): CodedRows {
  const rows = values.length / columns;
  const blocks = blocksOf(form, columns);
  const scaleType = scaleElement === 'float32' ? 'F32' : 'F16';
  const packed = new CodePacker(rows, columns, form);
  const scales = new Float32Array(rows * blocks);
  const codes = new Uint8Array(columns);
  const highest = 2 ** form.bits - 1;
  for (let row = 0; row < rows; row += 1) {
    for (let block = 0; block < blocks; block += 1) {
      const first = row * columns + block * form.blockSize;
      const end = Math.min(first + form.blockSize, (row + 1) * columns);
      const { scale, zeroPoint } = form.zeroPoints
        ? wholeRange(values, first, end, form, scaleType)
        : bestSymmetric(values, first, end, form, scaleType);
      if (!Number.isFinite(scale)) {
        throw new CompilationError(
          `${name} has a weight in row ${row} that is not a finite number`,
        );
      }
      scales[row * blocks + block] = scale;
      roundBlock(values, first, end, scale, zeroPoint, highest, codes, block * form.blockSize);
      packed.zeroPoint(row, block, zeroPoint);
    }
    packed.row(row, codes);
  }
  return { codes: packed.codes, scales, zeroPoints: packed.zeroPoints };
}

interface Grid {
  readonly scale: number;
  readonly zeroPoint: number;
}

function wholeRange(
  values: Float32Array,
  first: number,
  end: number,
  form: CodeForm,
  scaleType: 'F32' | 'F16',
): Grid {
  let least = 0;
  let most = 0;
  for (let at = first; at < end; at += 1) {
    const value = values[at] ?? 0;
    if (!Number.isFinite(value)) return { scale: Number.NaN, zeroPoint: 0 };
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const largest = 2 ** form.bits - 1;
  const scale = usable(roundTo(scaleType, (most - least) / largest));
  return { scale, zeroPoint: Math.min(largest, Math.max(0, Math.round(-least / scale))) };
}

function bestSymmetric(
  values: Float32Array,
  first: number,
  end: number,
  form: CodeForm,
  scaleType: 'F32' | 'F16',
): Grid {
  const zeroPoint = middleCode(form);
  let extreme = 0;
  for (let at = first; at < end; at += 1) {
    const value = values[at] ?? 0;
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  // Stays if no error is a number.
  let best = Number.NaN;
  let least = Number.POSITIVE_INFINITY;
  for (const reach of SYMMETRIC_REACHES[form.bits]) {
    const scale = usable(
      scaleType === 'F32' ? Math.fround(extreme / reach) : roundTo(scaleType, extreme / reach),
    );
    const error = squaredError(values, first, end, scale, zeroPoint);
    if (error < least) {
      least = error;
      best = scale;
    }
  }
  return { scale: best, zeroPoint };
}

/** What rounding to a grid around the middle costs. */
function squaredError(
  values: Float32Array,
  first: number,
  end: number,
  scale: number,
  zeroPoint: number,
): number {
  const inverse = 1 / scale;
  const highest = 2 * zeroPoint - 1;
  const offset = zeroPoint + 0.5;
  let error = 0;
  for (let at = first; at < end; at += 1) {
    const value = values[at] ?? 0;
    // Cutting off rounds down only above zero; below it the lowest code is right anyway.
    let code = (value * inverse + offset) | 0;
    if (code < 0) code = 0;
    else if (code > highest) code = highest;
    const off = value - (code - zeroPoint) * scale;
    error += off * off;
  }
  return error;
}

/** A scale to divide by: a block of zeros has any. */
function usable(scale: number): number {
  return scale === 0 ? 1 : scale;
}

function roundBlock(
  values: Float32Array,
  first: number,
  end: number,
  scale: number,
  zeroPoint: number,
  highest: number,
  codes: Uint8Array,
  target: number,
): void {
  const inverse = 1 / scale;
  const offset = zeroPoint + 0.5;
  const shift = target - first;
  for (let at = first; at < end; at += 1) {
    let code = ((values[at] ?? 0) * inverse + offset) | 0;
    if (code < 0) code = 0;
    else if (code > highest) code = highest;
    codes[at + shift] = code;
  }
}
