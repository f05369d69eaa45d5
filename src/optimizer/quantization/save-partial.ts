import type { KernelPool } from '../../kernels/index.js';
import { checksumFiles } from '../output/checksums.js';
import { createFiles } from '../output/planned-files.js';
import {
  namesOfLayer,
  planWeightFiles,
  type TensorWork,
  type WeightFilesPlan,
} from '../output/weight-files.js';
import { buildStepReport } from '../report/build.js';
import { renderLayers } from '../report/table.js';
import type { FinishedEntry } from '../resuming/entries.js';
import type { FinishedWork } from '../resuming/finished-work.js';
import type { ProducedStep, StepRun } from '../step-frame.js';
import { executeWork, type QuantizedLayer } from './execute.js';
import type { KeptModule, PlannedLayer, QuantizationPlan } from './plan.js';
import { configFor, type PreparedQuantization } from './prepare.js';
import { layersOfStage, reusedWork } from './reuse.js';
import { writeOtherFiles } from './write-other-files.js';

const UNFINISHED = 'the step was stopped before its turn came';

/** Makes a model of what is finished: the finished layers as they are in the result, all others as they
 * are in the source. It has to be done before whoever stopped the step loses patience, so nothing is
 * measured or verified beyond the sums of the files.
 * @returns undefined where no layer is finished. */
export async function savePartial(
  run: StepRun,
  prepared: PreparedQuantization,
  work: FinishedWork,
  pool: KernelPool,
  startedAt: Date,
): Promise<ProducedStep | undefined> {
  const { checkpoint, output, calibrated } = prepared;
  const format = calibrated?.format;
  const finished = finishedLayers(prepared, work.entries);
  if (finished.layers.length === 0) return undefined;
  const { progress, log } = run;
  // The run's own signal has aborted; only SIGKILL ends this.
  const { signal } = new AbortController();
  const plan = partialPlan(prepared.plan, finished.layers);
  log(`saving a partial model: ${finished.layers.length} of ${prepared.plan.layers.length} layers`);
  const weights = planWeightFiles(checkpoint, plan, output, format);
  const names = new Set([
    ...plan.layers.flatMap((layer) => namesOfLayer(layer, format)),
    ...finished.changed,
  ]);
  const tensors = copies(prepared, weights, names);
  progress.begin('saving', {
    tensors: tensors.length,
    bytes: tensors.reduce((sum, { task }) => sum + task.source.length, 0),
  });
  await createFiles(weights.files, signal);
  await executeWork(tensors, pool, signal, ({ task }) =>
    progress.advance(1, task.source.length, task.name),
  );
  await work.letGo();
  const quantization = configFor(checkpoint, plan, format);
  await writeOtherFiles({ ...prepared, plan, weights, quantization }, progress, signal);
  const files = await checksumFiles(output, pool, progress, signal);
  const step = buildStepReport({
    ...prepared,
    ...{ startedAt, plan, files },
    format: { method: String(quantization.quant_method), name: String(quantization.format) },
    layers: finished.layers,
    verifiedLayers: 0,
    weightBytesAfter: weights.tensorBytes,
    evaluation: null,
    calibration: calibrated?.plan.report ?? null,
    notes: [
      ...prepared.notes,
      `The step was stopped: ${finished.layers.length} of ${prepared.plan.layers.length} layers are quantized, the others are as they were.`,
      'Of a partial model perplexity is not measured, and no layer is read back.',
    ],
    secondsByPhase: progress.seconds(),
    bytesPerSecond: progress.speedOf('quantizing'),
  });
  return { complete: false, step, files, summary: renderLayers(step) };
}

interface FinishedLayers {
  /** In the plan's order. */
  readonly layers: readonly QuantizedLayer[];
  /** Other tensors that are not what they are in the source. */
  readonly changed: readonly string[];
}

function finishedLayers(
  { plan, weights }: PreparedQuantization,
  entries: readonly FinishedEntry[],
): FinishedLayers {
  const { layers, stages } = reusedWork(entries, weights.work);
  const planned = new Map(plan.layers.map((layer) => [layer.module, layer]));
  const found = new Map(
    [...layers, ...stages.flatMap((stage) => layersOfStage(stage, planned))].map((done) => [
      done.layer.module,
      done,
    ]),
  );
  // Serving engines fuse families into one layer, which has one scheme or none.
  const broken = new Set(
    plan.layers.filter(({ module }) => !found.has(module)).map((layer) => familyOf(layer)),
  );
  return {
    layers: plan.layers.flatMap((layer) => {
      const done = found.get(layer.module);
      return done === undefined || broken.has(familyOf(layer)) ? [] : [done];
    }),
    changed: stages.flatMap(({ changed }) => changed),
  };
}

function familyOf({ layer, module }: PlannedLayer): string {
  return layer?.familyKey ?? module;
}

function partialPlan(
  plan: QuantizationPlan,
  finished: readonly QuantizedLayer[],
): QuantizationPlan {
  const done = new Set(finished.map(({ layer }) => layer));
  const left = plan.layers.filter((layer) => !done.has(layer));
  return {
    ...plan,
    layers: plan.layers.filter((layer) => done.has(layer)),
    kept: [
      ...plan.kept,
      ...left.map(({ module, layer }): KeptModule => {
        const role = layer === undefined ? 'head' : 'linear';
        return { module, role, reason: UNFINISHED };
      }),
    ],
  };
}

/** Every tensor of the partial model, from where it is as it should be. */
function copies(
  { checkpoint, weights: worked }: PreparedQuantization,
  weights: WeightFilesPlan,
  finished: ReadonlySet<string>,
): readonly TensorWork[] {
  return [...weights.ranges].map(([name, target]): TensorWork => {
    const source = finished.has(name) ? worked.ranges.get(name) : checkpoint.tensors.get(name);
    if (source === undefined) throw new Error(`${name} is nowhere`);
    const { path, offset, length } = source;
    return {
      kind: 'copy',
      tensor: { name, file: weights.fileOf.get(name) ?? '' },
      task: { name, source: { path, offset, length }, target },
    };
  });
}
