import { join } from 'node:path';
import {
  CHUNK_BYTES,
  type ChunkManifest,
  MANIFEST_FILE,
  MANIFEST_FORMAT,
  MANIFEST_VERSION,
} from '../../checkpoint/chunked/manifest.js';
import { parseManifest } from '../../checkpoint/chunked/read-manifest.js';
import type { KernelPool } from '../../kernels/index.js';
import { settingsLine, sourceLine } from '../decision-lines.js';
import { writeBesideWeights } from '../output/beside-weights.js';
import { checksumFiles } from '../output/checksums.js';
import { writeNew } from '../output/folder.js';
import { renderShards } from '../report/shards-table.js';
import type { OptimizationReport } from '../report/types.js';
import { burnishVersion } from '../report/versions.js';
import { takeFingerprint } from '../resuming/fingerprint.js';
import { finishTensors } from '../resuming/finish-tensors.js';
import { keepingFinished, workFolder } from '../resuming/finished-work.js';
import { formatProperties, PROPERTIES_FILE } from '../settings/properties.js';
import { carryOut, type ProducedStep, type StepRun } from '../step-frame.js';
import { executeScattering } from './execute.js';
import { describeChunks } from './layouts/chunked.js';
import { type PreparedSharding, prepareSharding } from './prepare.js';
import { buildShardingReport } from './report.js';
import { tasksOf } from './scatter-tasks.js';
import { ranksIn } from './shard-files.js';
import { verifyHeaders, verifyRows } from './verify.js';

/** Divides the checkpoint in one folder among ranks, into another. Each byte of the source is read once,
 * and memory is a few slabs whatever the model's size. What is finished is kept where the run has a folder
 * that outlives it; there is no partial result, since an engine loads all tensors of a rank or none.
 * @throws SettingsError, CheckpointError, OutputError, KernelFileError, VerificationError; the signal's
 * reason when it aborts. */
export function runSharding(run: StepRun): Promise<OptimizationReport> {
  return carryOut(run, { prepare: prepareSharding, describe: decisionsOf, produce });
}

async function produce(
  run: StepRun,
  prepared: PreparedSharding,
  pool: KernelPool,
  startedAt: Date,
): Promise<ProducedStep> {
  const { log, progress, resumeFolder, signal } = run;
  const { checkpoint, output, ranks, settings } = prepared;
  const worked = ranksIn(workFolder(resumeFolder, output), ranks);
  await keepingFinished(
    {
      ...{ resumeFolder, output, log, signal },
      files: worked.flatMap(({ files }) => files),
      fingerprint: () => takeFingerprint(checkpoint, settings.effective, undefined, signal),
    },
    async (work) => {
      await finishTensors(run, work, {
        phase: 'sharding',
        tasks: tasksOf(worked),
        nameOf: ({ name }) => name,
        bytesOf: ({ source }) => source.length,
        execute: (tasks, onDone) => executeScattering(tasks, pool, signal, onDone),
      });
      await work.install(output);
    },
  );
  const texts = new Map([[PROPERTIES_FILE, formatProperties(prepared.properties)]]);
  await writeBesideWeights(output, { others: prepared.others, texts }, progress, signal);
  const tasks = tasksOf(ranks);
  progress.begin('verifying', { tensors: tasks.length, bytes: 0 });
  if (prepared.layout.name === 'sharded-state') {
    for (const rank of ranks) await verifyHeaders(rank);
  }
  const verifiedRows = verifyRows(tasks, signal);
  const known =
    prepared.layout.name === 'chunked'
      ? await writeManifest(prepared, pool, signal)
      : new Map<string, string>();
  const files = await checksumFiles(output, pool, progress, signal, known);
  const step = buildShardingReport({
    ...prepared,
    ...{ startedAt, files, verifiedRows },
    deployment: run.deployment,
    secondsByPhase: progress.seconds(),
    bytesPerSecond: progress.speedOf('sharding'),
  });
  return { complete: true, step, files, summary: renderShards(step) };
}

/** Reads the ranks' files again, sums up their chunks, and writes the manifest.
 * @returns the SHA-256 of each file by its name. */
async function writeManifest(
  { checkpoint, settings, model, ranks, output }: PreparedSharding,
  pool: KernelPool,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const sums = await Promise.all(
    ranks.map(async (rank) => {
      const [file] = rank.files;
      if (file === undefined) throw new Error('a rank has no file');
      const sum = await pool.checksumChunks(file.path, CHUNK_BYTES, { signal });
      return { name: file.name, sha256: sum.sha256, described: describeChunks(rank, sum.chunks) };
    }),
  );
  const manifest: ChunkManifest = {
    format: MANIFEST_FORMAT,
    version: MANIFEST_VERSION,
    framework: { name: 'burnish', version: burnishVersion() },
    model: {
      type: checkpoint.config.modelType,
      architecture: model.architecture,
      quantization: model.method === 'plain' ? null : model.method,
    },
    tensorParallelDegree: settings.tensorParallel,
    pipelineParallelDegree: settings.pipelineParallel,
    expertParallel: settings.expertParallel,
    chunkBytes: CHUNK_BYTES,
    ranks: sums.map(({ described }) => described),
  };
  const text = `${JSON.stringify(manifest)}\n`;
  // What no reader would take must not be written.
  parseManifest(text);
  await writeNew(join(output, MANIFEST_FILE), text);
  return new Map(sums.map(({ name, sha256 }) => [name, sha256]));
}

function decisionsOf(prepared: PreparedSharding): readonly string[] {
  const { checkpoint, model, settings, layout, notes } = prepared;
  return [
    sourceLine(checkpoint),
    settingsLine(settings.effective),
    `architecture: ${model.architecture}`,
    `layout: ${layout.name}: ${layout.reason}`,
    ...notes.map((note) => `note: ${note}`),
  ];
}
