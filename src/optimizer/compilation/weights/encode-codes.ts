import { roundTo } from '../../techniques/float-rounding.js';
import { CompilationError } from '../errors.js';
import type { FloatElement } from '../graph/element.js';
import {
  blocksOf,
  type CodeForm,
  codeRowBytes,
  middleCode,
  zeroPointRowBytes,
} from './code-form.js';

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
      packed.block(values, first, end, { row, block, scale, zeroPoint });
    }
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
    if (!(value >= least)) least = value;
    if (!(value <= most)) most = value;
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
    if (!(Math.abs(value) <= Math.abs(extreme))) extreme = value;
  }
  const highest = 2 ** form.bits - 1;
  let best: Grid = { scale: usable(extreme), zeroPoint };
  let least = Number.POSITIVE_INFINITY;
  for (const reach of SYMMETRIC_REACHES[form.bits]) {
    const scale = usable(roundTo(scaleType, extreme / reach));
    const inverse = 1 / scale;
    let error = 0;
    for (let at = first; at < end; at += 1) {
      const value = values[at] ?? 0;
      const code = Math.min(highest, Math.max(0, Math.floor(value * inverse + zeroPoint + 0.5)));
      const off = value - (code - zeroPoint) * scale;
      error += off * off;
    }
    if (error < least) {
      least = error;
      best = { scale, zeroPoint };
    }
  }
  return best;
}

/** A scale to divide by: a block of zeros has any. */
function usable(scale: number): number {
  return scale === 0 ? 1 : scale;
}

/** Puts codes into bytes, and zero points. */
export class CodePacker {
  readonly codes: Uint8Array;
  readonly zeroPoints: Uint8Array | undefined;
  readonly #form: CodeForm;
  readonly #codeBytes: number;
  readonly #zeroBytes: number;

  constructor(rows: number, columns: number, form: CodeForm) {
    this.#form = form;
    this.#codeBytes = codeRowBytes(form, columns);
    this.#zeroBytes = zeroPointRowBytes(form, columns);
    this.codes = new Uint8Array(rows * this.#codeBytes);
    this.zeroPoints = form.zeroPoints ? new Uint8Array(rows * this.#zeroBytes) : undefined;
  }

  /** Rounds a block's weights and stores them. */
  block(
    values: Float32Array,
    first: number,
    end: number,
    { row, block, scale, zeroPoint }: Grid & { readonly row: number; readonly block: number },
  ): void {
    const { bits, blockSize } = this.#form;
    const highest = 2 ** bits - 1;
    const inverse = 1 / scale;
    const start = row * this.#codeBytes + (block * blockSize * bits) / 8;
    for (let at = first; at < end; at += 1) {
      const value = values[at] ?? 0;
      const code = Math.min(highest, Math.max(0, Math.floor(value * inverse + zeroPoint + 0.5)));
      this.#put(this.codes, start, at - first, code);
    }
    this.zeroPoint(row, block, zeroPoint);
  }

  /** Stores one code of a row. */
  code(row: number, column: number, code: number): void {
    this.#put(this.codes, row * this.#codeBytes, column, code);
  }

  zeroPoint(row: number, block: number, zeroPoint: number): void {
    if (this.zeroPoints === undefined) return;
    this.#put(this.zeroPoints, row * this.#zeroBytes, block, zeroPoint);
  }

  #put(target: Uint8Array, start: number, index: number, code: number): void {
    if (this.#form.bits === 8) {
      target[start + index] = code;
      return;
    }
    const byte = start + (index >> 1);
    target[byte] = (target[byte] ?? 0) | (code << ((index & 1) * 4));
  }
}
