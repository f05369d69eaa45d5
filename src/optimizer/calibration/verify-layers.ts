import { openCheckpoint } from '../../checkpoint/open.js';
import { StoredWeights } from '../forward/weights/stored-weights.js';
import { TensorFiles } from '../forward/weights/tensor-files.js';
import type { WeightSource } from '../forward/weights/weight-source.js';
import { VerificationError } from '../quantization/verify.js';
import type { CalibratedLayer } from './calibrated-layer.js';
import { digestWeight } from './digest-weight.js';

/** Rounding in the sums of a check; they are f64 sums of the same f32 numbers. */
const TOLERANCE = 1e-6;

/** Reads the result's files back, decodes every quantized layer by what its format says, and compares it
 * with what the technique decided on.
 * @throws VerificationError naming the layer. */
export async function verifyLayers(
  folder: string,
  layers: readonly CalibratedLayer[],
  signal: AbortSignal,
  onVerified: (done: CalibratedLayer) => void,
): Promise<void> {
  const result = await openCheckpoint(folder, signal);
  const files = new TensorFiles(result.tensors);
  const source: WeightSource = new StoredWeights(files);
  try {
    for (const done of layers) {
      signal.throwIfAborted();
      const { module } = done.layer;
      const expected = done.digest;
      const { values } = await source.matrix(module);
      const found = digestWeight(values);
      const scale = Math.max(expected.squares, found.squares, Number.MIN_VALUE);
      if (
        !(Math.abs(found.squares - expected.squares) <= scale * TOLERANCE) ||
        !(Math.abs(found.sum - expected.sum) <= Math.max(1, Math.abs(expected.sum)) * TOLERANCE)
      ) {
        throw new VerificationError(
          `${module} was written as something else than it was quantized to`,
        );
      }
      onVerified(done);
    }
  } finally {
    await files.close();
  }
}
