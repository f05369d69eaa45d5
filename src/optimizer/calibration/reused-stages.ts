import { readSafetensors, type TensorInfo } from '../../checkpoint/safetensors/reader.js';
import { StoredWeights } from '../forward/weights/stored-weights.js';
import { TensorFiles } from '../forward/weights/tensor-files.js';
import { namesOfLayer } from '../output/weight-files.js';
import type { PlannedLayer } from '../quantization/plan.js';
import { layersOfStage } from '../quantization/reuse.js';
import type { FinishedStage } from '../resuming/entries.js';
import type { CalibrationRun } from './calibrate.js';
import type { CalibratedLayer } from './calibrated-layer.js';
import { WorkingWeights } from './working-weights.js';

/** Stages that an earlier attempt finished. The samples only pass through them, with the weights that
 * they were left with: read back and decoded, those are to the bit what the samples met when the stage
 * was worked on. */
export class ReusedStages {
  readonly #stages: ReadonlyMap<string, FinishedStage>;
  readonly #planned: ReadonlyMap<string, PlannedLayer>;
  readonly #files: TensorFiles;

  private constructor(
    stages: readonly FinishedStage[],
    planned: ReadonlyMap<string, PlannedLayer>,
    tensors: ReadonlyMap<string, TensorInfo>,
  ) {
    this.#stages = new Map(stages.map((stage) => [keyOf(stage.block, stage.stage), stage]));
    this.#planned = planned;
    this.#files = new TensorFiles(tensors);
  }

  static async open(
    { checkpoint, weights, format, finished }: CalibrationRun,
    planned: ReadonlyMap<string, PlannedLayer>,
  ): Promise<ReusedStages> {
    const tensors = new Map(checkpoint.tensors);
    if (finished.length === 0) return new ReusedStages([], planned, tensors);
    const written = new Map<string, TensorInfo>();
    for (const { path, name } of weights.files) {
      const file = await readSafetensors(path, name);
      for (const tensor of file.tensors) written.set(tensor.name, tensor);
    }
    for (const stage of finished) {
      const layers = layersOfStage(stage, planned).map(({ layer }) => layer);
      for (const { weight } of layers) tensors.delete(weight.name);
      const names = layers.flatMap((layer) => namesOfLayer(layer, format));
      for (const name of [...names, ...stage.changed]) {
        const tensor = written.get(name);
        if (tensor === undefined) throw new Error(`${name} was finished, but is not planned`);
        tensors.set(name, tensor);
      }
    }
    return new ReusedStages(finished, planned, tensors);
  }

  find(block: number, stage: FinishedStage['stage']): FinishedStage | undefined {
    return this.#stages.get(keyOf(block, stage));
  }

  layersOf(stage: FinishedStage): readonly CalibratedLayer[] {
    return layersOfStage(stage, this.#planned);
  }

  /** As while a stage is worked on, inputs are not rounded. */
  weights(): WorkingWeights {
    return new WorkingWeights(new StoredWeights(this.#files));
  }

  close(): Promise<void> {
    return this.#files.close();
  }
}

function keyOf(block: number, stage: string): string {
  return `${block} ${stage}`;
}
