/** How the codes of a linear layer's weight are stored for `MatMulNBits`: in blocks of columns that share
 * a scale and perhaps a zero point.
 *
 * Source: the description of MatMulNBits among ONNX Runtime's own operators. Codes lie row after row, the
 * lower bits of a byte first; the last block of a row is filled up. Without zero points a code stands
 * for its distance from half the range. */
export interface CodeForm {
  readonly bits: 4 | 8;
  /** Columns; a power of two from 16 on. */
  readonly blockSize: number;
  readonly zeroPoints: boolean;
}

/** Blocks in a row. */
export function blocksOf({ blockSize }: CodeForm, columns: number): number {
  return Math.ceil(columns / blockSize);
}

/** Bytes of one row's codes. */
export function codeRowBytes(form: CodeForm, columns: number): number {
  return (blocksOf(form, columns) * form.blockSize * form.bits) / 8;
}

/** Bytes of one row's zero points, packed like codes. */
export function zeroPointRowBytes(form: CodeForm, columns: number): number {
  return Math.ceil((blocksOf(form, columns) * form.bits) / 8);
}

/** What a code that stands for zero is, where there are no zero points. */
export function middleCode({ bits }: CodeForm): number {
  return 2 ** (bits - 1);
}
