import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  CHUNK_BYTES,
  type ChunkManifest,
  MANIFEST_FILE,
  MANIFEST_FORMAT,
  MANIFEST_VERSION,
} from '../../checkpoint/chunked/manifest.js';
import { parseManifest } from '../../checkpoint/chunked/read-manifest.js';
import { createKernelPool, type KernelPool, type ScatterRowsTask } from '../../kernels/index.js';
import type { DeploymentInstance } from '../contract.js';
import { checksumFiles } from '../output/checksums.js';
import { copyFiles, emptyFolder } from '../output/folder.js';
import type { Progress } from '../progress.js';
import { renderShards } from '../report/shards-table.js';
import { formatBytes } from '../report/table.js';
import { type OptimizationReport, REPORT_FILE, REPORT_VERSION } from '../report/types.js';
import { burnishVersion } from '../report/versions.js';
import { formatProperties, PROPERTIES_FILE } from '../settings/properties.js';
import { executeScattering } from './execute.js';
import { describeChunks } from './layouts/chunked.js';
import { type PreparedSharding, prepareSharding } from './prepare.js';
import { buildShardingReport } from './report.js';
import { scatterTasks } from './scatter-tasks.js';
import { createShardFiles } from './shard-files.js';
import { verifyHeaders, verifyRows } from './verify.js';

/** One step's folders and settings, and who is told about it. */
export interface ShardingRun {
  readonly inputFolder: string;
  /** Exists and is empty; after a failure it is empty again. */
  readonly outputFolder: string;
  /** The caller's settings, `OPTION_X` to value. */
  readonly environment: Readonly<Record<string, string>>;
  /** What the result is to be served on, where that is known. */
  readonly deployment?: DeploymentInstance | undefined;
  readonly progress: Progress;
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Divides the checkpoint in one folder among ranks, into another: reads headers and settings, decides,
 * and only then writes. Each byte of the source is read once, and memory is a few slabs whatever the
 * model's size. The report is written last.
 * @throws SettingsError, CheckpointError, OutputError, KernelFileError, VerificationError; the signal's
 * reason when it aborts. */
export async function runSharding(run: ShardingRun): Promise<OptimizationReport> {
  const startedAt = new Date();
  run.progress.begin('reading', { tensors: 0, bytes: 0 });
  const prepared = await prepareSharding(run, run.environment, run.deployment, run.signal);
  logDecisions(run.log, prepared);
  try {
    return await produce(run, prepared, startedAt);
  } catch (error) {
    await emptyFolder(prepared.output);
    throw error;
  }
}

async function produce(
  run: ShardingRun,
  prepared: PreparedSharding,
  startedAt: Date,
): Promise<OptimizationReport> {
  const { progress, signal, log } = run;
  const { output, ranks } = prepared;
  const pool = createKernelPool();
  try {
    const tasks = scatterTasks(ranks.flatMap(({ tensors }) => tensors));
    await shardTensors(run, prepared, tasks, pool);
    await writeOtherFiles(run, prepared);
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
    });
    const report: OptimizationReport = {
      schemaVersion: REPORT_VERSION,
      complete: true,
      steps: [...prepared.earlierSteps, step],
      files,
    };
    signal.throwIfAborted();
    await writeNew(join(output, REPORT_FILE), `${JSON.stringify(report, null, 2)}\n`);
    for (const line of renderShards(step)) log(line);
    return report;
  } finally {
    await pool.close();
  }
}

async function shardTensors(
  { progress, signal }: ShardingRun,
  { ranks }: PreparedSharding,
  tasks: readonly ScatterRowsTask[],
  pool: KernelPool,
): Promise<void> {
  progress.begin('sharding', {
    tensors: tasks.length,
    bytes: tasks.reduce((sum, { source }) => sum + source.length, 0),
  });
  await createShardFiles(
    ranks.flatMap(({ files }) => files),
    signal,
  );
  await executeScattering(tasks, pool, signal, ({ source, name }) =>
    progress.advance(1, source.length, name),
  );
}

async function writeOtherFiles(
  { progress, signal }: ShardingRun,
  { others, output, properties }: PreparedSharding,
): Promise<void> {
  progress.begin('copying', {
    tensors: others.length,
    bytes: others.reduce((sum, { size }) => sum + size, 0),
  });
  await copyFiles(others, output, signal, ({ size }) => progress.advance(1, size));
  await writeNew(join(output, PROPERTIES_FILE), formatProperties(properties));
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

async function writeNew(path: string, text: string): Promise<void> {
  await writeFile(path, text, { flag: 'wx' });
}

function logDecisions(log: (line: string) => void, prepared: PreparedSharding): void {
  const { config, tensors, shards } = prepared.checkpoint;
  const { model, settings, layout, notes } = prepared;
  const bytes = [...tensors.values()].reduce((sum, { length }) => sum + length, 0);
  const files = shards.length === 1 ? '1 file' : `${shards.length} files`;
  const given = Object.entries(settings.effective).map(([name, value]) => `${name}=${value}`);
  log(`model: ${config.modelType}, ${tensors.size} tensors in ${files}, ${formatBytes(bytes)}`);
  log(`settings: ${given.join(' ')}`);
  log(`architecture: ${model.architecture}`);
  log(`layout: ${layout.name}: ${layout.reason}`);
  for (const note of notes) log(`note: ${note}`);
}
