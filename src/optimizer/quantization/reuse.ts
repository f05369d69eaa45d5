import type { CalibratedLayer } from '../calibration/calibrated-layer.js';
import type { TensorWork } from '../output/weight-files.js';
import type { FinishedEntry, FinishedStage } from '../resuming/entries.js';
import type { QuantizedLayer } from './execute.js';
import type { PlannedLayer } from './plan.js';

/** What earlier attempts at a step finished, in its own terms. */
export interface ReusedWork {
  /** Tensors that are in place. */
  readonly tensors: ReadonlySet<string>;
  /** Layers of those, where they were quantized. */
  readonly layers: readonly QuantizedLayer[];
  /** What a calibrated technique finished, in the order in which it did. */
  readonly stages: readonly FinishedStage[];
}

/** @param work all tensors that the step hands to the workers. */
export function reusedWork(
  entries: readonly FinishedEntry[],
  work: readonly TensorWork[],
): ReusedWork {
  const items = new Map(work.map((item) => [item.task.name, item]));
  const tensors = new Set<string>();
  const layers: QuantizedLayer[] = [];
  const stages: FinishedStage[] = [];
  for (const entry of entries) {
    if (entry.kind === 'stage') {
      stages.push(entry);
      continue;
    }
    const item = items.get(entry.tensor);
    if (item === undefined) continue;
    tensors.add(entry.tensor);
    if (item.kind !== 'quantize' || entry.error === null) continue;
    const { error, seconds } = entry;
    layers.push({ layer: item.layer, error, bytesAfter: item.bytesAfter, seconds });
  }
  return { tensors, layers, stages };
}

/** The layers of a finished stage with their plans. */
export function layersOfStage(
  stage: FinishedStage,
  planned: ReadonlyMap<string, PlannedLayer>,
): readonly CalibratedLayer[] {
  return stage.layers.map(({ module, ...rest }) => {
    const layer = planned.get(module);
    if (layer === undefined) throw new Error(`${module} was finished, but is not planned`);
    return { layer, ...rest };
  });
}
