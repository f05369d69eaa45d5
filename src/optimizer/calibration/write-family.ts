import type { CalibratedFormat } from '../formats/calibrated-format.js';
import type { PlannedLayer } from '../quantization/plan.js';
import type { EncodedFamily, EncodedLayer } from '../techniques/technique.js';
import type { CalibratedLayer } from './calibrated-layer.js';
import { digestWeight } from './digest-weight.js';
import type { OutputTensors } from './output-tensors.js';
import type { WorkingWeights } from './working-weights.js';

/** Where encoded layers go. */
export interface FamilyTarget {
  readonly format: CalibratedFormat;
  readonly output: OutputTensors;
  /** They take on what the codes decode to. */
  readonly weights: WorkingWeights;
  readonly onLayer: (done: CalibratedLayer) => void;
}

/** Writes a family's layers, and leaves the weights as the result has them.
 * @param layers in the order of those that were encoded.
 * @param began when the work on the family did, on the clock of `performance.now()`; its time before the
 * first layer is written counts as that layer's. */
export async function writeFamily(
  layers: readonly PlannedLayer[],
  encoded: EncodedFamily,
  began: number,
  target: FamilyTarget,
): Promise<readonly CalibratedLayer[]> {
  let started = began;
  const written: CalibratedLayer[] = [];
  for (const [place, layer] of layers.entries()) {
    const found = encoded.layers[place];
    if (found === undefined) throw new Error(`${layer.module} was not encoded`);
    const bytesAfter = await writeLayer(layer, found, target);
    const { decoded, error } = found;
    target.weights.setMatrix(layer.module, decoded);
    const now = performance.now();
    const done: CalibratedLayer = {
      layer,
      error: error.weight,
      outputError: error.output,
      digest: digestWeight(decoded.values),
      bytesAfter,
      seconds: (now - started) / 1000,
    };
    started = now;
    written.push(done);
    target.onLayer(done);
  }
  return written;
}

/** @returns how many bytes it takes. */
async function writeLayer(
  layer: PlannedLayer,
  { weight }: EncodedLayer,
  { format, output }: FamilyTarget,
): Promise<number> {
  let bytes = 0;
  for (const { name, data } of format.pack(layer, weight)) {
    await output.write(name, data);
    bytes += data.length;
  }
  return bytes;
}
