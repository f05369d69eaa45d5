import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { PlannedTensor } from '../../checkpoint/safetensors/layout.js';
import { readSafetensors, type TensorInfo } from '../../checkpoint/safetensors/reader.js';
import {
  codesPerUnit,
  decodeColumns,
  decodeFloats,
  type EncodedRows,
  FLOAT_BYTES,
  type FloatType,
  scalesPerRow,
  type WeightScheme,
} from '../../kernels/index.js';
import { layerTensors } from '../formats/compressed-tensors.js';
import type { WeightFile } from '../output/weight-files.js';
import { seededRandom } from '../seeded-random.js';
import type { QuantizedLayer } from './execute.js';

/** What was written is not what should have been. */
export class VerificationError extends Error {
  override readonly name = 'VerificationError';
}

/** Fixed, so that two runs over the same model look at the same rows. */
export const VERIFICATION_SEED = 20_240_229;

/** Reads the written files back with the checkpoint reader, then of every quantized layer two rows, the
 * one with the worst error and one drawn by a seeded generator, and decodes them apart from the
 * kernels that encoded them. No element may be further from its source than half a step of its
 * scheme, and the worst one must be where and what the report says.
 * @param onVerified called after each layer.
 * @throws VerificationError naming the tensor. */
export async function verifyOutput(
  files: readonly WeightFile[],
  layers: readonly QuantizedLayer[],
  signal: AbortSignal,
  onVerified: (done: QuantizedLayer) => void,
): Promise<void> {
  const written = await reread(files);
  const random = seededRandom(VERIFICATION_SEED);
  const opened = new OpenFiles();
  try {
    for (const done of layers) {
      // Lets a signal through.
      await setImmediate();
      signal.throwIfAborted();
      const { rows } = done.layer;
      const sample = new Set([done.error.worstRow, Math.floor(random() * rows)]);
      for (const row of sample) verifyRow(done, row, written, opened);
      onVerified(done);
    }
  } finally {
    opened.close();
  }
}

/** Files held open to read a row here and there. Such a read takes less time than to wait for it. */
class OpenFiles {
  readonly #descriptors = new Map<string, number>();

  read(path: string, offset: number, length: number): Uint8Array {
    const descriptor = this.#descriptors.get(path) ?? openSync(path, 'r');
    this.#descriptors.set(path, descriptor);
    const bytes = new Uint8Array(length);
    if (readSync(descriptor, bytes, 0, length, offset) !== length) {
      throw new VerificationError(`${path} ended while it was verified`);
    }
    return bytes;
  }

  close(): void {
    for (const descriptor of this.#descriptors.values()) closeSync(descriptor);
  }
}

async function reread(files: readonly WeightFile[]): Promise<ReadonlyMap<string, TensorInfo>> {
  const written = new Map<string, TensorInfo>();
  for (const { path, name, layout } of files) {
    const file = await readSafetensors(path, name);
    for (const tensor of file.tensors) written.set(tensor.name, tensor);
    if (file.tensors.length !== layout.tensors.size) {
      throw new VerificationError(`${name} holds other tensors than were planned`);
    }
  }
  return written;
}

function verifyRow(
  { layer, error }: QuantizedLayer,
  row: number,
  written: ReadonlyMap<string, TensorInfo>,
  opened: OpenFiles,
): void {
  const { weight, columns, scheme, sourceType, rows } = layer;
  const rowBytes = columns * FLOAT_BYTES[sourceType];
  const source = decodeFloats(
    opened.read(weight.path, weight.offset + row * rowBytes, rowBytes),
    sourceType,
  );
  // Rows that share a word of zero points are read together.
  const unit = scheme.type === 'int' && !scheme.symmetric ? codesPerUnit(scheme.bits) : 1;
  const first = Math.floor(row / unit) * unit;
  const unitWords = (unit * scheme.bits) / 32;
  const count = Math.min(unit, rows - first);
  const tensors = layerTensors(layer);
  const readRows = (name: string, from: number, amount: number): Uint8Array => {
    const tensor = written.get(name);
    if (tensor === undefined) throw new VerificationError(`Tensor ${name} was not written`);
    const bytes = tensor.length / (tensor.shape[0] ?? 1);
    return opened.read(tensor.path, tensor.offset + from * bytes, amount * bytes);
  };
  const readZeroPoints = ({ name, shape }: PlannedTensor): Uint8Array => {
    const word = (first / unit) * unitWords;
    return readRows(name, word, Math.min(unitWords, (shape[0] ?? 0) - word));
  };
  const encoded: EncodedRows = {
    scheme,
    scaleType: sourceType,
    rows: count,
    columns,
    codes: readRows(tensors.codes.name, first, count),
    scales: readRows(tensors.scales.name, first, count),
    ...(tensors.zeroPoints === undefined ? {} : { zeroPoints: readZeroPoints(tensors.zeroPoints) }),
  };
  const decoded = decodeColumns(encoded, row - first, 0, columns);
  checkRow(layer, row, source, decoded, scalesOf(encoded, row - first));
  if (row === error.worstRow) checkWorst(layer.module, error, source, decoded);
}

function scalesOf({ scheme, scales, scaleType, columns }: EncodedRows, row: number): Float32Array {
  const bytes = scalesPerRow(scheme, columns) * FLOAT_BYTES[scaleType];
  return decodeFloats(scales.subarray(row * bytes, (row + 1) * bytes), scaleType);
}

function checkRow(
  { module, scheme, sourceType }: QuantizedLayer['layer'],
  row: number,
  source: Float32Array,
  decoded: Float32Array,
  scales: Float32Array,
): void {
  const groupSize = source.length / scales.length;
  for (const [column, weight] of source.entries()) {
    const scale = scales[Math.floor(column / groupSize)] ?? Number.NaN;
    const difference = Math.abs(weight - (decoded[column] ?? Number.NaN));
    if (!(difference <= allowedDifference(scheme, sourceType, weight, scale))) {
      throw new VerificationError(
        `Tensor ${module}.weight, row ${row}, column ${column}: ${weight} was written as ${decoded[column]}, further off than ${scale} as scale allows`,
      );
    }
  }
}

/** Largest relative error of rounding a normal number to each type, and half its smallest step. */
const ROUNDING: Readonly<Record<FloatType, { readonly relative: number; readonly least: number }>> =
  {
    F32: { relative: 2 ** -24, least: 2 ** -150 },
    BF16: { relative: 2 ** -9, least: 2 ** -134 },
    F16: { relative: 2 ** -11, least: 2 ** -25 },
  };

/** FP8 E4M3 has three bits of mantissa, and steps of 2^-9 below its smallest normal number. */
const FLOAT8 = { relative: 2 ** -4, least: 2 ** -10 } as const;

/** How far a decoded weight may lie from its source: half a step of the codes, and what rounding the
 * scale itself to its type can add to it. */
function allowedDifference(
  scheme: WeightScheme,
  scaleType: FloatType,
  weight: number,
  scale: number,
): number {
  const step =
    scheme.type === 'float'
      ? Math.max(Math.abs(weight) * FLOAT8.relative, scale * FLOAT8.least)
      : scale / 2;
  const { relative, least } = ROUNDING[scaleType];
  const codes = scheme.type === 'float' ? 448 : 2 ** scheme.bits;
  // With a zero point, the far end of the group's range takes part in the rounding.
  const reach =
    scheme.type === 'int' && !scheme.symmetric ? codes * scale : Math.abs(weight) + scale;
  // Decoding multiplies in f32, which rounds once more.
  const arithmetic = (Math.abs(weight) + scale) * 2 ** -22;
  return step + 2 * relative * reach + codes * least + arithmetic;
}

function checkWorst(
  module: string,
  { worstAbsolute, worstRow, worstColumn }: QuantizedLayer['error'],
  source: Float32Array,
  decoded: Float32Array,
): void {
  const weight = source[worstColumn] ?? Number.NaN;
  const found = Math.abs(weight - (decoded[worstColumn] ?? Number.NaN));
  if (!(Math.abs(found - worstAbsolute) <= (Math.abs(weight) + found) * 2 ** -20)) {
    throw new VerificationError(
      `Tensor ${module}.weight, row ${worstRow}, column ${worstColumn}: its error was measured as ${worstAbsolute}, but the written file has ${found}`,
    );
  }
}
