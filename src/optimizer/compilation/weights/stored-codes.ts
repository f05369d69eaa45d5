import { PLAIN_FORM } from '../../forward/weights/plain-form.js';
import { findForm } from '../../forward/weights/stored-weights.js';
import type { TensorFiles } from '../../forward/weights/tensor-files.js';
import { CompilationError } from '../errors.js';
import { readAutoAwq, readBytes, readGptq, readPacked } from './code-readers.js';

/** A weight as codes, however a checkpoint stores it: `(code − zero point) · scale` with one scale and zero
 * point for each group of columns of a row. */
export interface StoredCodes {
  readonly rows: number;
  readonly columns: number;
  readonly bits: 4 | 8;
  /** Groups of a row. */
  readonly groups: number;
  /** `[columns]`; undefined for neighbours of equal number. */
  readonly groupOf: Int32Array | undefined;
  /** `[rows, groups]` */
  readonly scales: Float32Array;
  /** `[rows, groups]`; codes are counted from 0, and so are these. */
  readonly zeroPoints: Uint16Array;
  /** Codes of one row, `[columns]`. */
  readRow(row: number, into: Uint8Array): void;
}

/** Reads a module's codes; undefined where its weight is plain numbers. Its tensors are in memory as long
 * as what is returned.
 * @throws CompilationError for codes that ONNX Runtime cannot multiply with on processors. */
export async function readStoredCodes(
  files: TensorFiles,
  module: string,
): Promise<StoredCodes | undefined> {
  const form = findForm(files, module);
  if (form === PLAIN_FORM) return undefined;
  const reader = [readPacked, readAutoAwq, readGptq, readBytes].find(
    ({ form: own }) => own === form,
  );
  if (reader === undefined) {
    throw new CompilationError(
      `${module} is stored as FP8, which ONNX Runtime does not multiply on processors; compile the unquantized model, or use the Image of a TensorRT-LLM compiler`,
    );
  }
  const codes = await reader.read(files, module, await form.shape(files, module));
  if (codes.scales.length !== codes.rows * codes.groups) {
    throw new CompilationError(
      `${module} has ${codes.scales.length} scales, not a whole number a row`,
    );
  }
  return codes;
}

/** Whether any zero point is something else than half the range. */
export function hasZeroPoints({ zeroPoints, bits }: StoredCodes): boolean {
  return zeroPoints.some((zeroPoint) => zeroPoint !== 2 ** (bits - 1));
}
