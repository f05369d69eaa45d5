import type { KernelPool } from '../../kernels/index.js';
import { calibrate } from '../calibration/calibrate.js';
import type { CalibratedLayer } from '../calibration/calibrated-layer.js';
import type { TensorWork } from '../output/weight-files.js';
import { formatBytes, percent } from '../report/table.js';
import type { FinishedWork } from '../resuming/finished-work.js';
import type { StepRun } from '../step-frame.js';
import { executeWork, type QuantizedLayer } from './execute.js';
import type { PlannedLayer } from './plan.js';
import { preflight } from './preflight.js';
import type { PreparedQuantization } from './prepare.js';
import { reusedWork } from './reuse.js';
import { describeScheme } from './scheme.js';

/** The layers in the plan's order; those of a calibrated technique are all `CalibratedLayer`s. */
export interface QuantizedModel {
  readonly layers: readonly QuantizedLayer[];
  readonly notes: readonly string[];
}

/** Copies and quantizes every tensor that is not finished yet, then lets a calibrated technique go through
 * the model. */
export async function quantizeTensors(
  run: StepRun,
  prepared: PreparedQuantization,
  finished: FinishedWork,
  pool: KernelPool,
): Promise<QuantizedModel> {
  const { progress, log, signal } = run;
  const { weights, plan, calibrated } = prepared;
  const reused = reusedWork(finished.earlier, weights.work);
  const left = weights.work.filter(({ task }) => !reused.tensors.has(task.name));
  if (left.length > 0 || reused.stages.length === 0) await preflight(run, prepared, pool);
  const calibratedLayers = calibrated === undefined ? [] : plan.layers;
  progress.begin('quantizing', {
    tensors: weights.work.length + calibratedLayers.length,
    bytes: sourceBytes(weights.work) + weightBytes(calibratedLayers),
  });
  if (finished.earlier.length > 0) {
    const modules = new Set(
      reused.stages.flatMap(({ layers }) => layers.map((layer) => layer.module)),
    );
    const again = calibratedLayers.filter(({ module }) => modules.has(module));
    log(
      `going on from ${reused.layers.length + again.length} finished layers of ${plan.layers.length}`,
    );
    progress.skip(
      reused.tensors.size + again.length,
      sourceBytes(weights.work) - sourceBytes(left) + weightBytes(again),
    );
  }
  const streamed = await executeWork(left, pool, signal, ({ task }, done, seconds) => {
    finished.note({ kind: 'tensor', tensor: task.name, error: done?.error ?? null, seconds });
    progress.advance(1, task.source.length, done?.layer.module);
    if (done !== undefined) log(describeLayer(done));
  });
  if (calibrated === undefined) {
    return { layers: inPlanOrder(prepared, [...reused.layers, ...streamed]), notes: [] };
  }
  const { text, samples, tokens } = calibrated.plan.report;
  log(`calibrating with ${samples} samples, ${tokens} tokens, of ${text}`);
  const found = await calibrate({
    ...prepared,
    ...{ signal, scratchFolder: run.scratchFolder },
    calibration: calibrated.plan,
    format: calibrated.format,
    finished: reused.stages,
    onStage: (stage) => finished.note(stage),
    onLayer: (done) => {
      progress.advance(1, done.layer.weight.length, done.layer.module);
      log(describeLayer(done));
    },
  });
  return { layers: inPlanOrder(prepared, found.layers), notes: found.notes };
}

export function isCalibrated(layer: QuantizedLayer): layer is CalibratedLayer {
  return 'digest' in layer;
}

function inPlanOrder<Layer extends QuantizedLayer>(
  { plan }: PreparedQuantization,
  layers: readonly Layer[],
): readonly Layer[] {
  const position = new Map(plan.layers.map((layer, index) => [layer, index]));
  return [...layers].sort((a, b) => (position.get(a.layer) ?? 0) - (position.get(b.layer) ?? 0));
}

function weightBytes(layers: readonly PlannedLayer[]): number {
  return layers.reduce((sum, { weight }) => sum + weight.length, 0);
}

function sourceBytes(work: readonly TensorWork[]): number {
  return work.reduce((sum, { task }) => sum + task.source.length, 0);
}

function describeLayer({ layer, error, outputError, bytesAfter }: QuantizedLayer): string {
  const { module, scheme, staticInputs, weight } = layer;
  return [
    `${module}: ${describeScheme(scheme, staticInputs)}`,
    ...(outputError === undefined ? [] : [`error of the output ${percent(outputError)}`]),
    `error ${percent(error.relativeRms)}, worst ${error.worstAbsolute.toPrecision(3)} at row ${error.worstRow}, column ${error.worstColumn}`,
    `${formatBytes(weight.length)} -> ${formatBytes(bytesAfter)}`,
  ].join('; ');
}
