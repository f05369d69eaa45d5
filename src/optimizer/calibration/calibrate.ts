import type { ForwardBlock } from '../../checkpoint/architectures/forward/forward-model.js';
import type { Checkpoint } from '../../checkpoint/open.js';
import type { CalibratedFormat } from '../formats/calibrated-format.js';
import {
  BLOCK_STAGES,
  type BlockStage,
  type ForwardOptions,
  ForwardPass,
  type StageOptions,
} from '../forward/forward-pass.js';
import { Sessions } from '../forward/runtime/session.js';
import { KeptInputs } from '../forward/stages/kept-inputs.js';
import { StoredWeights } from '../forward/weights/stored-weights.js';
import { TensorFiles } from '../forward/weights/tensor-files.js';
import type { WeightSource } from '../forward/weights/weight-source.js';
import { createLinearAlgebra } from '../linear-algebra/onnx-algebra.js';
import { releaseArrays } from '../memory.js';
import type { WeightFilesPlan } from '../output/weight-files.js';
import type { PlannedLayer, QuantizationPlan } from '../quantization/plan.js';
import type { FinishedStage } from '../resuming/entries.js';
import type { QuantizationSettings } from '../settings/quantization-settings.js';
import type { Technique, TechniqueContext } from '../techniques/technique.js';
import { buildTechnique } from './build-technique.js';
import type { CalibratedLayer } from './calibrated-layer.js';
import { OutputTensors } from './output-tensors.js';
import type { CalibrationPlan } from './plan-calibration.js';
import { ReusedStages } from './reused-stages.js';
import { type CaptureInputs, type StageResult, StageWork } from './stage-work.js';
import { StatisticsCollector } from './statistics.js';
import { WorkingWeights } from './working-weights.js';

export interface CalibrationRun {
  readonly checkpoint: Checkpoint;
  readonly settings: QuantizationSettings;
  readonly plan: QuantizationPlan;
  readonly calibration: CalibrationPlan;
  readonly format: CalibratedFormat;
  /** Files that exist, with all copied tensors in place. */
  readonly weights: WeightFilesPlan;
  readonly scratchFolder: string | undefined;
  readonly signal: AbortSignal;
  /** What an earlier attempt finished; its weights are in their files. */
  readonly finished: readonly FinishedStage[];
  /** Called when all weights of a stage are in their files. */
  readonly onStage: (stage: FinishedStage) => void;
  readonly onLayer: (done: CalibratedLayer) => void;
}

/** Quantizes block after block with what calibration learns: the samples go through the model once, each
 * stage (attention, then the feed-forward network) seeing inputs that have come through everything
 * before it as it is in the result. In memory are the samples' activations (up to a budget), one
 * stage's weights, and the sums that its layers' inputs leave.
 * @returns the layers in the order in which they were quantized, and what was met on the way.
 * @throws TechniqueError, FormatError, CheckpointError; the signal's reason when it aborts. */
export async function calibrate(run: CalibrationRun): Promise<{
  readonly layers: readonly CalibratedLayer[];
  readonly notes: readonly string[];
}> {
  const { checkpoint, calibration, settings, signal } = run;
  const files = new TensorFiles(checkpoint.tensors);
  const output = new OutputTensors(run.weights.ranges);
  const sessions = new Sessions(settings.executionProvider, calibration.report.threads);
  const options: ForwardOptions = { sessions, signal, spill: { folder: run.scratchFolder } };
  const source = new StoredWeights(files);
  const context: TechniqueContext = {
    algebra: createLinearAlgebra(calibration.report.threads),
    signal,
  };
  const planned = new Map(run.plan.layers.map((layer) => [layer.module, layer]));
  const layers: CalibratedLayer[] = [];
  const notes: string[] = [];
  const passes: ForwardPass[] = [];
  const kept = new KeptInputs({ folder: run.scratchFolder });
  const begin = async (): Promise<ForwardPass> => {
    const { model, sequences } = calibration;
    const begun = await ForwardPass.begin(model, source, sequences, options);
    passes.push(begun);
    return begun;
  };
  const techniqueOf = (layer: PlannedLayer): Technique =>
    buildTechnique(settings.scheme, run.format, layer);
  const reused = await ReusedStages.open(run, planned);
  try {
    const pass = await begin();
    const original = run.plan.layers.some((layer) => techniqueOf(layer).aimsAtOriginal)
      ? { pass: await begin(), source }
      : undefined;
    const beside = original === undefined ? {} : { original };
    const walk: Walk = { run, pass, kept, beside, source, output, context, techniqueOf };
    for (const [index, block] of calibration.model.blocks.entries()) {
      for (const stage of BLOCK_STAGES) {
        const known = reused.find(index, stage);
        if (known !== undefined) {
          await pass.run(block, stage, reused.weights(), beside);
          layers.push(...reused.layersOf(known));
          notes.push(...known.notes);
          continue;
        }
        const work = new StageWork(block, stage, planned, calibration.model);
        const found = await quantizeStage(work, walk);
        if (found.layers.length > 0) run.onStage(finishedStage(index, stage, found));
        for (const layer of found.layers) layers.push(layer);
        for (const note of found.notes) notes.push(note);
      }
    }
    return { layers, notes };
  } finally {
    for (const pass of passes) await pass.close();
    await kept.close();
    await reused.close();
    await context.algebra.close();
    await sessions.close();
    await output.close();
    await files.close();
  }
}

function finishedStage(block: number, stage: BlockStage, found: StageResult): FinishedStage {
  const { layers, changed, notes } = found;
  return {
    ...{ kind: 'stage', block, stage, changed, notes },
    layers: layers.map(({ layer, ...rest }) => ({ module: layer.module, ...rest })),
  };
}

/** What goes with the samples through the model. */
interface Walk {
  readonly run: CalibrationRun;
  readonly pass: ForwardPass;
  readonly kept: KeptInputs;
  /** The samples in the model as it was, where the technique aims at its outputs. */
  readonly beside: Pick<StageOptions, 'original'>;
  readonly source: WeightSource;
  readonly output: OutputTensors;
  readonly context: TechniqueContext;
  readonly techniqueOf: (layer: PlannedLayer) => Technique;
}

async function quantizeStage(
  work: StageWork,
  { run, pass, kept, beside, source, output, context, techniqueOf }: Walk,
): Promise<StageResult> {
  const { block, stage } = work;
  if (work.families.length === 0) {
    await pass.run(block, stage, source, beside);
    return { layers: [], changed: [], notes: [] };
  }
  const weights = new WorkingWeights(source);
  const moves = !isLast(run, block, stage);
  const capture: CaptureInputs = async ({ places, evenTokens, magnitudes, last }) => {
    // A feed-forward network takes most, and what it takes need not be released more often.
    releaseArrays(last && stage === 'feedForward' ? 'all' : 'young');
    const sink = new StatisticsCollector();
    await pass.run(block, stage, weights, {
      ...beside,
      capture: { sink, places, evenTokens, magnitudes },
      advance: false,
      kept: last && moves ? kept : undefined,
    });
    return sink;
  };
  try {
    const result = await work.quantize({
      ...{ capture, weights, techniqueOf, output, context },
      format: run.format,
      tensors: run.checkpoint.tensors,
      onLayer: run.onLayer,
    });
    if (moves) await pass.run(block, stage, weights, { ...beside, kept });
    return result;
  } finally {
    await kept.forget();
  }
}

/** What comes after the last stage is of no use to calibration. */
function isLast(
  { calibration: { model } }: CalibrationRun,
  block: ForwardBlock,
  stage: BlockStage,
): boolean {
  return block === model.blocks.at(-1) && stage === BLOCK_STAGES.at(-1);
}
