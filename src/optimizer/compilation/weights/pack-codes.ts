import { type CodeForm, codeRowBytes, zeroPointRowBytes } from '../../../kernels/index.js';

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

  /** Stores the codes of a row. */
  row(row: number, codes: Uint8Array): void {
    const start = row * this.#codeBytes;
    if (this.#form.bits === 8) {
      this.codes.set(codes, start);
      return;
    }
    for (let index = 0; index < codes.length; index += 2) {
      this.codes[start + (index >> 1)] = (codes[index] ?? 0) | ((codes[index + 1] ?? 0) << 4);
    }
  }

  zeroPoint(row: number, block: number, zeroPoint: number): void {
    if (this.zeroPoints === undefined) return;
    const start = row * this.#zeroBytes;
    if (this.#form.bits === 8) {
      this.zeroPoints[start + block] = zeroPoint;
      return;
    }
    const byte = start + (block >> 1);
    this.zeroPoints[byte] = (this.zeroPoints[byte] ?? 0) | (zeroPoint << ((block & 1) * 4));
  }
}
