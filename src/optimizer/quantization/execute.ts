import { CheckpointError } from '../../checkpoint/errors.js';
import type { KernelPool, QuantizationError } from '../../kernels/index.js';
import { forEachInFlight } from '../in-flight.js';
import type { TensorWork } from '../output/weight-files.js';
import type { PlannedLayer } from './plan.js';

/** A layer that was quantized, and what it cost. */
export interface QuantizedLayer {
  readonly layer: PlannedLayer;
  readonly error: QuantizationError;
  readonly bytesAfter: number;
  /** Error of the layer's output over the calibration's inputs, where there was a calibration. */
  readonly outputError?: number;
  /** Time since the tensor before it was finished; over all tensors it adds up to the phase. */
  readonly seconds: number;
}

/** Quantizes and copies every tensor. The workers read and write the files; nothing but sizes and
 * errors passes through here, whatever the model's size.
 * @param onDone called after each tensor.
 * @throws NonFiniteWeightError or CheckpointError naming the tensor with NaN or infinity in it; the
 * signal's reason when it aborts. */
export async function executeWork(
  work: readonly TensorWork[],
  pool: KernelPool,
  signal: AbortSignal,
  onDone: (item: TensorWork, done: QuantizedLayer | undefined, seconds: number) => void,
): Promise<readonly QuantizedLayer[]> {
  const results: QuantizedLayer[] = [];
  let finishedLast = performance.now();
  await forEachInFlight(work, signal, async (item, stop) => {
    const error = await executeOne(item, pool, stop);
    const now = performance.now();
    const seconds = (now - finishedLast) / 1000;
    finishedLast = now;
    if (item.kind === 'quantize' && error !== undefined) {
      const done = { layer: item.layer, error, bytesAfter: item.bytesAfter, seconds };
      results.push(done);
      onDone(item, done, seconds);
    } else {
      onDone(item, undefined, seconds);
    }
  });
  return results;
}

async function executeOne(
  item: TensorWork,
  pool: KernelPool,
  signal: AbortSignal,
): Promise<QuantizationError | undefined> {
  if (item.kind === 'quantize') return pool.quantizeRows(item.task, { signal });
  const { tensor, task } = item;
  if (task.source.length === 0) return undefined;
  const { nonFinite } = await pool.copyRange(task, { signal });
  if (nonFinite !== undefined) {
    throw new CheckpointError(
      `has ${nonFinite.kind} at element ${nonFinite.index}: the checkpoint is damaged`,
      { file: tensor.file, tensor: tensor.name },
    );
  }
  return undefined;
}
