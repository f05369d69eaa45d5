import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../../checkpoint/open.js';
import type { KernelPool } from '../../kernels/index.js';
import { StoredWeights } from '../forward/weights/stored-weights.js';
import { TensorFiles } from '../forward/weights/tensor-files.js';
import type { PreparedGraph } from './prepare.js';
import { KeptCodes } from './weights/keep-codes.js';
import { type WriteOptions, writeWeights } from './weights/write-weights.js';

/** Writes a graph and its file of weights into a folder, in which their own folder is.
 * @throws CheckpointError, CompilationError, NonFiniteWeightError, KernelFileError; the signal's reason when it aborts. */
export async function writeGraph(
  checkpoint: Checkpoint,
  graph: PreparedGraph,
  folder: string,
  pool: KernelPool,
  signal: AbortSignal,
  onWritten: WriteOptions['onWritten'],
): Promise<void> {
  const files = new TensorFiles(checkpoint.tensors);
  try {
    await writeWeights(join(folder, graph.files.weights), graph.weightBytes, graph.weights, {
      ...{ files, pool },
      source: new StoredWeights(files),
      kept: new KeptCodes(files),
      signal,
      onWritten,
    });
  } finally {
    await files.close();
  }
  await writeFile(join(folder, graph.files.graph), graph.model, { flag: 'wx' });
}
