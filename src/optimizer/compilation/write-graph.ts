import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint } from '../../checkpoint/open.js';
import type { KernelPool } from '../../kernels/index.js';
import { StoredWeights } from '../forward/weights/stored-weights.js';
import { TensorFiles } from '../forward/weights/tensor-files.js';
import { createFiles, type PlannedFile } from '../output/planned-files.js';
import type { PreparedGraph } from './prepare.js';
import { KeptCodes } from './weights/keep-codes.js';
import type { PlannedWeight } from './weights/planned-weight.js';
import { type WriteOptions, writeWeights } from './weights/write-weights.js';

/** Writes a graph and its file of weights into a folder.
 * @throws CheckpointError, CompilationError, NonFiniteWeightError, KernelFileError; the signal's reason
 * when it aborts. */
export async function writeGraph(
  checkpoint: Checkpoint,
  graph: PreparedGraph,
  folder: string,
  pool: KernelPool,
  signal: AbortSignal,
): Promise<void> {
  const file = weightFileOf(graph, folder);
  await createFiles([file], signal);
  const options = { pool, signal, onWritten: () => undefined };
  await writeGraphWeights(checkpoint, graph.weights, file.path, options);
  await writeGraphFile(graph, folder);
}

/** The file of a graph's weights. */
export function weightFileOf({ files, weightBytes }: PreparedGraph, folder: string): PlannedFile {
  const name = files.weights;
  return { name, path: join(folder, name), size: weightBytes, pieces: [] };
}

/** Writes weights of a graph at their places in a file that is there in its full size.
 * @throws CheckpointError, CompilationError, NonFiniteWeightError, KernelFileError; the signal's reason
 * when it aborts. */
export async function writeGraphWeights(
  { tensors }: Checkpoint,
  weights: readonly PlannedWeight[],
  path: string,
  options: Pick<WriteOptions, 'pool' | 'signal' | 'onWritten'>,
): Promise<void> {
  const files = new TensorFiles(tensors);
  try {
    const [source, kept] = [new StoredWeights(files), new KeptCodes(files)];
    await writeWeights(path, weights, { ...options, files, source, kept });
  } finally {
    await files.close();
  }
}

/** Writes the graph itself, beside its file of weights. */
export function writeGraphFile({ files, model }: PreparedGraph, folder: string): Promise<void> {
  return writeFile(join(folder, files.graph), model, { flag: 'wx' });
}
