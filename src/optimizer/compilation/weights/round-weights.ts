import {
  type BlockSource,
  type FileRange,
  FLOAT_BYTES,
  type KernelPool,
} from '../../../kernels/index.js';
import { matrixShape } from '../../forward/weights/plain-form.js';
import { floatType, type TensorFiles } from '../../forward/weights/tensor-files.js';
import { forEachInFlight } from '../../in-flight.js';
import { CompilationError } from '../errors.js';
import type { PlacedTensor, PlannedWeight } from './planned-weight.js';

/** A weight that is rounded to codes here, or whose codes are kept. */
export type PlannedCodes = Extract<PlannedWeight, { readonly kind: 'codes' }>;

export interface RoundingOptions {
  /** The checkpoint's tensors as they are stored. */
  readonly files: TensorFiles;
  readonly pool: KernelPool;
  readonly signal: AbortSignal;
  /** Called after each weight. */
  readonly onWritten: (weight: PlannedCodes) => void;
}

/** Rounds plain weights to codes, on all threads at once: they read the checkpoint and write the graph's file,
 * and no weight passes through here.
 * @param path of the graph's file, which has its full size.
 * @throws NonFiniteWeightError naming the tensor with NaN or infinity in it, CheckpointError, CompilationError,
 * KernelFileError; the signal's reason when it aborts. */
export async function roundWeights(
  path: string,
  weights: readonly PlannedCodes[],
  { files, pool, signal, onWritten }: RoundingOptions,
): Promise<void> {
  await forEachInFlight(weights, signal, async (weight, stop) => {
    await roundWeight(path, weight, files, pool, stop);
    onWritten(weight);
  });
}

async function roundWeight(
  path: string,
  { matrix, form, codes, scales, zeroPoints }: PlannedCodes,
  files: TensorFiles,
  pool: KernelPool,
  signal: AbortSignal,
): Promise<void> {
  if (scales.type !== 'float32') throw new Error(`${scales.name} is not of f32`);
  const { columns } = matrix;
  let first = 0;
  for (const { modules, rows } of matrix.parts) {
    const written = rows * modules.length;
    const range = (tensor: PlacedTensor): FileRange => {
      const rowBytes = tensor.length / matrix.rows;
      return { path, offset: tensor.offset + first * rowBytes, length: written * rowBytes };
    };
    await pool.encodeBlocks(
      {
        ...{ rows, columns, form, codes: range(codes), scales: range(scales) },
        sources: modules.map(({ module, first: row }) =>
          sourceOf(files, module, row, rows, columns),
        ),
        ...(zeroPoints === undefined ? {} : { zeroPoints: range(zeroPoints) }),
      },
      { signal },
    );
    first += written;
  }
}

function sourceOf(
  files: TensorFiles,
  module: string,
  firstRow: number,
  rows: number,
  columns: number,
): BlockSource {
  const tensor = files.find(`${module}.weight`);
  const type = floatType(tensor);
  const shape = matrixShape(tensor);
  if (shape.columns !== columns || firstRow + rows > shape.rows) {
    throw new CompilationError(
      `${tensor.name} is [${shape.rows}, ${shape.columns}], which has no ${rows} rows of ${columns} columns from row ${firstRow} on`,
    );
  }
  const rowBytes = columns * FLOAT_BYTES[type];
  const range = {
    path: tensor.path,
    offset: tensor.offset + firstRow * rowBytes,
    length: rows * rowBytes,
  };
  return { name: tensor.name, range, type, firstRow };
}
