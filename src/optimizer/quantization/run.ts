import { join } from 'node:path';
import { CONFIG_FILE } from '../../checkpoint/hf-config.js';
import { formatShardIndex, INDEX_FILE } from '../../checkpoint/shard-index.js';
import type { KernelPool } from '../../kernels/index.js';
import { calibrate } from '../calibration/calibrate.js';
import type { CalibratedLayer } from '../calibration/calibrated-layer.js';
import { verifyLayers } from '../calibration/verify-layers.js';
import { evaluate } from '../evaluation/evaluate.js';
import { checksumFiles } from '../output/checksums.js';
import { withQuantizationConfig } from '../output/config-json.js';
import { copyFiles } from '../output/folder.js';
import { createWeightFiles } from '../output/weight-files.js';
import type { Progress } from '../progress.js';
import { buildStepReport } from '../report/build.js';
import { formatBytes, percent, renderLayers } from '../report/table.js';
import type { EvaluationReport, OptimizationReport } from '../report/types.js';
import { formatProperties, PROPERTIES_FILE } from '../settings/properties.js';
import { carryOut, type ProducedStep, type StepRun, writeNew } from '../step-frame.js';
import { executeWork, type QuantizedLayer } from './execute.js';
import { type PreparedQuantization, prepareQuantization } from './prepare.js';
import { describeScheme } from './scheme.js';
import { verifyOutput } from './verify.js';

/** Quantizes the checkpoint in one folder into another.
 * @throws SettingsError, CheckpointError, OutputError, NonFiniteWeightError, VerificationError; the
 * signal's reason when it aborts. */
export function runQuantization(run: StepRun): Promise<OptimizationReport> {
  return carryOut(run, { prepare: prepareQuantization, describe: decisionsOf, produce });
}

async function produce(
  run: StepRun,
  prepared: PreparedQuantization,
  pool: KernelPool,
  startedAt: Date,
): Promise<ProducedStep> {
  const { progress, signal } = run;
  const { output, weights, quantization } = prepared;
  const { layers, notes } = await quantizeAndVerify(run, prepared, pool);
  const evaluated = await evaluateResult(run, prepared);
  const files = await checksumFiles(output, pool, progress, signal);
  const step = buildStepReport({
    ...prepared,
    startedAt,
    format: { method: String(quantization.quant_method), name: String(quantization.format) },
    layers,
    weightBytesAfter: weights.tensorBytes,
    files,
    evaluation: evaluated.report,
    calibration: prepared.calibrated?.plan.report ?? null,
    notes: [...prepared.notes, ...notes, ...evaluated.notes],
    secondsByPhase: progress.seconds(),
  });
  return { step, files, summary: renderLayers(step) };
}

interface QuantizedModel {
  /** In the plan's order. */
  readonly layers: readonly QuantizedLayer[];
  readonly notes: readonly string[];
}

/** Writes all of the result but its report, and holds it against what it should be. */
async function quantizeAndVerify(
  run: StepRun,
  prepared: PreparedQuantization,
  pool: KernelPool,
): Promise<QuantizedModel> {
  const { progress, signal } = run;
  const { plan, weights, output } = prepared;
  const ordered = <Layer extends QuantizedLayer>(layers: readonly Layer[]): readonly Layer[] => {
    const position = new Map(plan.layers.map((layer, index) => [layer, index]));
    return [...layers].sort((a, b) => (position.get(a.layer) ?? 0) - (position.get(b.layer) ?? 0));
  };
  const beginVerifying = (layers: readonly QuantizedLayer[]): void =>
    progress.begin('verifying', {
      tensors: layers.length,
      bytes: layers.reduce((sum, { bytesAfter }) => sum + bytesAfter, 0),
    });
  const onVerified = ({ bytesAfter, layer }: QuantizedLayer): void =>
    progress.advance(1, bytesAfter, layer.module);
  if (prepared.calibrated === undefined) {
    const layers = ordered(await quantizeTensors(run, prepared, pool));
    await writeOtherFiles(prepared, progress, signal);
    beginVerifying(layers);
    await verifyOutput(weights.files, layers, signal, onVerified);
    return { layers, notes: [] };
  }
  const found = await calibrateTensors(run, prepared, prepared.calibrated, pool);
  const layers = ordered(found.layers);
  await writeOtherFiles(prepared, progress, signal);
  beginVerifying(layers);
  await verifyLayers(output, layers, signal, onVerified);
  return { layers, notes: found.notes };
}

async function evaluateResult(
  { progress, signal, scratchFolder }: StepRun,
  { evaluation, checkpoint, output, settings }: PreparedQuantization,
): Promise<{ readonly report: EvaluationReport | null; readonly notes: readonly string[] }> {
  if (evaluation === undefined) return { report: null, notes: [] };
  const options = { progress, signal, scratchFolder };
  const found = await evaluate(evaluation, checkpoint, output, settings, options);
  return 'reason' in found
    ? { report: null, notes: [`Perplexity was not measured: ${found.reason}.`] }
    : { report: found, notes: [] };
}

/** Copies what stays as it is, then lets the technique go through the model. */
async function calibrateTensors(
  { progress, log, signal, scratchFolder }: StepRun,
  { weights, plan, checkpoint, settings }: PreparedQuantization,
  calibrated: NonNullable<PreparedQuantization['calibrated']>,
  pool: KernelPool,
): Promise<{ readonly layers: readonly CalibratedLayer[]; readonly notes: readonly string[] }> {
  const { text, samples, tokens } = calibrated.plan.report;
  log(`calibrating with ${samples} samples, ${tokens} tokens, of ${text}`);
  const { work, files } = weights;
  progress.begin('quantizing', {
    tensors: work.length + plan.layers.length,
    bytes:
      work.reduce((sum, { task }) => sum + task.source.length, 0) +
      plan.layers.reduce((sum, { weight }) => sum + weight.length, 0),
  });
  await createWeightFiles(files, signal);
  await executeWork(work, pool, signal, (bytes) => progress.advance(1, bytes));
  return calibrate({
    checkpoint,
    settings,
    plan,
    calibration: calibrated.plan,
    format: calibrated.format,
    weights,
    scratchFolder,
    signal,
    onLayer: (done) => {
      progress.advance(1, done.layer.weight.length, done.layer.module);
      log(describeLayer(done));
    },
  });
}

async function quantizeTensors(
  { progress, log, signal }: StepRun,
  { weights }: PreparedQuantization,
  pool: KernelPool,
): Promise<readonly QuantizedLayer[]> {
  const { work, files } = weights;
  progress.begin('quantizing', {
    tensors: work.length,
    bytes: work.reduce((sum, { task }) => sum + task.source.length, 0),
  });
  await createWeightFiles(files, signal);
  return executeWork(work, pool, signal, (bytes, finished) => {
    progress.advance(1, bytes, finished?.layer.module);
    if (finished !== undefined) log(describeLayer(finished));
  });
}

async function writeOtherFiles(
  prepared: PreparedQuantization,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const { checkpoint, others, output, quantization, properties, weights } = prepared;
  progress.begin('copying', {
    tensors: others.length,
    bytes: others.reduce((sum, { size }) => sum + size, 0),
  });
  await copyFiles(others, output, signal, ({ size }) => progress.advance(1, size));
  await writeNew(
    join(output, CONFIG_FILE),
    withQuantizationConfig(checkpoint.config, quantization),
  );
  await writeNew(join(output, PROPERTIES_FILE), formatProperties(properties));
  if (checkpoint.index !== undefined) {
    const { metadata } = checkpoint.index;
    await writeNew(
      join(output, INDEX_FILE),
      formatShardIndex(metadata, weights.tensorBytes, weights.fileOf),
    );
  }
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

function decisionsOf(prepared: PreparedQuantization): readonly string[] {
  const { config, tensors, shards } = prepared.checkpoint;
  const { plan, settings, notes } = prepared;
  const bytes = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
  const files = shards.length === 1 ? '1 file' : `${shards.length} files`;
  const given = Object.entries(settings.effective).map(([name, value]) => `${name}=${value}`);
  return [
    `model: ${config.modelType}, ${tensors.size} tensors in ${files}, ${formatBytes(bytes)}`,
    `settings: ${given.join(' ')}`,
    plan.architecture === undefined
      ? 'architecture: not in the table; its linear layers are found by the generic rule'
      : `architecture: ${plan.architecture}`,
    `to quantize: ${plan.layers.length} layers; left alone: ${plan.kept.length} modules`,
    ...plan.kept.map(({ module, reason }) => `left alone: ${module}: ${reason}`),
    ...notes.map((note) => `note: ${note}`),
  ];
}
