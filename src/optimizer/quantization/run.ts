import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONFIG_FILE } from '../../checkpoint/hf-config.js';
import { formatShardIndex, INDEX_FILE } from '../../checkpoint/shard-index.js';
import { createKernelPool, type KernelPool } from '../../kernels/index.js';
import { checksumFiles } from '../output/checksums.js';
import { withQuantizationConfig } from '../output/config-json.js';
import { copyFiles, emptyFolder } from '../output/folder.js';
import { createWeightFiles } from '../output/weight-files.js';
import type { Progress } from '../progress.js';
import { buildStepReport } from '../report/build.js';
import { formatBytes, percent, renderReport } from '../report/table.js';
import { type OptimizationReport, REPORT_FILE, REPORT_VERSION } from '../report/types.js';
import { formatProperties, PROPERTIES_FILE } from '../settings/properties.js';
import { executeWork, type QuantizedLayer } from './execute.js';
import { type PreparedQuantization, prepareQuantization } from './prepare.js';
import { describeScheme } from './scheme.js';
import { verifyOutput } from './verify.js';

/** One step's folders and settings, and who is told about it. */
export interface QuantizationRun {
  readonly inputFolder: string;
  /** Exists and is empty; after a failure it is empty again. */
  readonly outputFolder: string;
  /** The caller's settings, `OPTION_X` to value. */
  readonly environment: Readonly<Record<string, string>>;
  readonly progress: Progress;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Quantizes the checkpoint in one folder into another: reads headers and settings, decides, and only
 * then writes. The report is written last.
 * @throws SettingsError, CheckpointError, OutputError, NonFiniteWeightError, VerificationError; the
 * signal's reason when it aborts. */
export async function runQuantization(run: QuantizationRun): Promise<OptimizationReport> {
  const startedAt = new Date();
  run.progress.begin('reading', { tensors: 0, bytes: 0 });
  const prepared = await prepareQuantization(run, run.environment, run.signal);
  logDecisions(run.log, prepared);
  try {
    const report = await produce(run, prepared, startedAt);
    for (const line of renderReport(report)) run.log(line);
    return report;
  } catch (error) {
    // If even that fails, the first failure is still the one to tell.
    await emptyFolder(prepared.output).catch(() => undefined);
    throw error;
  }
}

async function produce(
  run: QuantizationRun,
  prepared: PreparedQuantization,
  startedAt: Date,
): Promise<OptimizationReport> {
  const { progress, signal } = run;
  const { output, weights, quantization } = prepared;
  const pool = createKernelPool();
  try {
    const layers = await quantizeTensors(run, prepared, pool);
    await writeOtherFiles(prepared, progress, signal);
    progress.begin('verifying', {
      tensors: layers.length,
      bytes: layers.reduce((sum, { bytesAfter }) => sum + bytesAfter, 0),
    });
    await verifyOutput(weights.files, layers, signal, ({ bytesAfter, layer }) =>
      progress.advance(1, bytesAfter, layer.module),
    );
    const files = await checksumFiles(output, pool, progress, signal);
    const step = buildStepReport({
      ...prepared,
      startedAt,
      format: { method: String(quantization.quant_method), name: String(quantization.format) },
      layers,
      weightBytesAfter: weights.tensorBytes,
      files,
      secondsByPhase: progress.seconds(),
    });
    const report: OptimizationReport = {
      schemaVersion: REPORT_VERSION,
      complete: true,
      steps: [...prepared.earlierSteps, step],
      files,
    };
    signal.throwIfAborted();
    await writeNew(join(output, REPORT_FILE), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    await pool.close();
  }
}

/** Results come back in the plan's order. */
async function quantizeTensors(
  { progress, log, signal }: QuantizationRun,
  { weights, plan }: PreparedQuantization,
  pool: KernelPool,
): Promise<readonly QuantizedLayer[]> {
  const { work, files } = weights;
  progress.begin('quantizing', {
    tensors: work.length,
    bytes: work.reduce((sum, { task }) => sum + task.source.length, 0),
  });
  await createWeightFiles(files, signal);
  const done = await executeWork(work, pool, signal, (bytes, finished) => {
    progress.advance(1, bytes, finished?.layer.module);
    if (finished !== undefined) log(describeLayer(finished));
  });
  const position = new Map(plan.layers.map((layer, index) => [layer, index]));
  return [...done].sort((a, b) => (position.get(a.layer) ?? 0) - (position.get(b.layer) ?? 0));
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

async function writeNew(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' });
}

function describeLayer({ layer, error, bytesAfter }: QuantizedLayer): string {
  const { module, scheme, weight } = layer;
  return [
    `${module}: ${describeScheme(scheme)}`,
    `error ${percent(error.relativeRms)}, worst ${error.worstAbsolute.toPrecision(3)} at row ${error.worstRow}, column ${error.worstColumn}`,
    `${formatBytes(weight.length)} -> ${formatBytes(bytesAfter)}`,
  ].join('; ');
}

function logDecisions(log: (line: string) => void, prepared: PreparedQuantization): void {
  const { config, tensors, shards } = prepared.checkpoint;
  const { plan, settings, notes } = prepared;
  const bytes = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
  const files = shards.length === 1 ? '1 file' : `${shards.length} files`;
  const given = Object.entries(settings.effective).map(([name, value]) => `${name}=${value}`);
  log(`model: ${config.modelType}, ${tensors.size} tensors in ${files}, ${formatBytes(bytes)}`);
  log(`settings: ${given.join(' ')}`);
  log(
    plan.architecture === undefined
      ? 'architecture: not in the table; its linear layers are found by the generic rule'
      : `architecture: ${plan.architecture}`,
  );
  log(`to quantize: ${plan.layers.length} layers; left alone: ${plan.kept.length} modules`);
  for (const { module, reason } of plan.kept) log(`left alone: ${module}: ${reason}`);
  for (const note of notes) log(`note: ${note}`);
}
