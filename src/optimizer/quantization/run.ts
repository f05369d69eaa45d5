import { join } from 'node:path';
import type { KernelPool } from '../../kernels/index.js';
import { verifyLayers } from '../calibration/verify-layers.js';
import { settingsLine, sourceLine } from '../decision-lines.js';
import { evaluate } from '../evaluation/evaluate.js';
import { describeFailure } from '../failure.js';
import { checksumFiles } from '../output/checksums.js';
import { buildStepReport } from '../report/build.js';
import { renderLayers } from '../report/table.js';
import type { EvaluationReport, OptimizationReport } from '../report/types.js';
import { takeFingerprint } from '../resuming/fingerprint.js';
import { FinishedWork } from '../resuming/finished-work.js';
import { carryOut, type ProducedStep, type StepRun } from '../step-frame.js';
import type { QuantizedLayer } from './execute.js';
import { type PreparedQuantization, prepareQuantization } from './prepare.js';
import { isCalibrated, quantizeTensors } from './quantize-tensors.js';
import { savePartial } from './save-partial.js';
import { verifyOutput } from './verify.js';
import { writeOtherFiles } from './write-other-files.js';

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
  const { checkpoint, settings, calibrated, output, weights } = prepared;
  const { signal, log, resumeFolder } = run;
  const work = await FinishedWork.open({
    ...{ resumeFolder, output, log, signal },
    files: weights.files,
    fingerprint: () =>
      takeFingerprint(checkpoint, settings.effective, calibrated?.plan.sequences, signal),
  });
  try {
    return await finish(run, prepared, work, pool, startedAt);
  } catch (error) {
    // What is finished is kept, whatever else goes wrong.
    await work.commit().catch(() => undefined);
    if (!signal.aborted) throw error;
    const partial = await savePartial(run, prepared, work, pool, startedAt).catch(
      (failure: unknown) => {
        log(`no partial model was saved: ${describeFailure(failure).message}`);
        return undefined;
      },
    );
    if (partial === undefined) throw error;
    return partial;
  } finally {
    await work.close();
  }
}

/** Quantizes what is not finished yet, and makes the result of it. */
async function finish(
  run: StepRun,
  prepared: PreparedQuantization,
  work: FinishedWork,
  pool: KernelPool,
  startedAt: Date,
): Promise<ProducedStep> {
  const { progress, signal } = run;
  const { output, weights, quantization, calibrated } = prepared;
  const { layers, notes } = await quantizeTensors(run, prepared, work, pool);
  await work.install(output);
  const files = weights.files.map((file) => ({ ...file, path: join(output, file.name) }));
  await writeOtherFiles(prepared, progress, signal);
  progress.begin('verifying', {
    tensors: layers.length,
    bytes: layers.reduce((sum, { bytesAfter }) => sum + bytesAfter, 0),
  });
  const onVerified = ({ bytesAfter, layer }: QuantizedLayer): void =>
    progress.advance(1, bytesAfter, layer.module);
  if (layers.every(isCalibrated)) await verifyLayers(output, layers, signal, onVerified);
  else await verifyOutput(files, layers, signal, onVerified);
  const evaluated = await evaluateResult(run, prepared);
  const sums = await checksumFiles(output, pool, progress, signal);
  const step = buildStepReport({
    ...prepared,
    ...{ startedAt, layers, files: sums },
    format: { method: String(quantization.quant_method), name: String(quantization.format) },
    verifiedLayers: layers.length,
    weightBytesAfter: weights.tensorBytes,
    evaluation: evaluated.report,
    calibration: calibrated?.plan.report ?? null,
    notes: [...prepared.notes, ...notes, ...evaluated.notes],
    secondsByPhase: progress.seconds(),
    bytesPerSecond: progress.speedOf('quantizing'),
  });
  return { complete: true, step, files: sums, summary: renderLayers(step) };
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

function decisionsOf(prepared: PreparedQuantization): readonly string[] {
  const { checkpoint, plan, settings, notes } = prepared;
  return [
    sourceLine(checkpoint),
    settingsLine(settings.effective),
    plan.architecture === undefined
      ? 'architecture: not in the table; its linear layers are found by the generic rule'
      : `architecture: ${plan.architecture}`,
    `to quantize: ${plan.layers.length} layers; left alone: ${plan.kept.length} modules`,
    ...plan.kept.map(({ module, reason }) => `left alone: ${module}: ${reason}`),
    ...notes.map((note) => `note: ${note}`),
  ];
}
