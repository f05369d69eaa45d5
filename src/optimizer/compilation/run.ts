import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { KernelPool } from '../../kernels/index.js';
import { settingsLine } from '../decision-lines.js';
import { writeBesideWeights } from '../output/beside-weights.js';
import { checksumFiles } from '../output/checksums.js';
import { renderCompilation } from '../report/compilation-table.js';
import { formatBytes } from '../report/table.js';
import type { OptimizationReport } from '../report/types.js';
import { carryOut, type ProducedStep, type StepRun } from '../step-frame.js';
import { compileWeights } from './compile-weights.js';
import { cacheShape } from './measure/cache-shape.js';
import { optimize } from './measure/run-graph-task.js';
import { measureResult } from './measure-result.js';
import { preflight } from './preflight.js';
import { isRewritten, type PreparedCompilation, prepareCompilation } from './prepare.js';
import { buildCompilationReport } from './report.js';
import { writeGraphFile } from './write-graph.js';

/** What ONNX Runtime calls the levels of optimization. */
const RUNTIME_LEVELS = ['disabled', 'basic', 'extended', 'all'] as const;

/** Tokens by which a rewritten graph is held to the one it came from. */
const CHECKED_TOKENS = 8;

/** Compiles the checkpoint in one folder into a graph for ONNX Runtime, in another. Weights are streamed:
 * memory is a few slabs whatever the model's size, but for what ONNX Runtime itself takes to rewrite or
 * to measure the graph, in processes of its own.
 * @throws SettingsError, CheckpointError, CompilationError, OutputError, TextError, NonFiniteWeightError,
 * KernelFileError; the signal's reason when it aborts. */
export function runCompilation(run: StepRun): Promise<OptimizationReport> {
  return carryOut(run, { prepare: prepareCompilation, describe: decisionsOf, produce });
}

async function produce(
  run: StepRun,
  prepared: PreparedCompilation,
  pool: KernelPool,
  startedAt: Date,
): Promise<ProducedStep> {
  const scratch = await mkdtemp(join(run.scratchFolder ?? tmpdir(), 'burnish-compilation-'));
  try {
    await preflight(run, prepared, pool, scratch);
    await writeResult(run, prepared, pool, scratch);
    await writeBesideWeights(prepared.output, prepared, run.progress, run.signal);
    const { measured, notes } =
      prepared.measuring === undefined
        ? { measured: null, notes: [] }
        : await measureResult(run, prepared, prepared.measuring, pool, scratch);
    const files = await checksumFiles(prepared.output, pool, run.progress, run.signal);
    const step = buildCompilationReport({
      ...prepared,
      ...{ startedAt, files, measured, deployment: run.deployment },
      notes: [...prepared.notes, ...notes],
      secondsByPhase: run.progress.seconds(),
      bytesPerSecond: run.progress.speedOf('compiling'),
    });
    return { complete: true, step, files, summary: renderCompilation(step) };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function writeResult(
  run: StepRun,
  prepared: PreparedCompilation,
  pool: KernelPool,
  scratch: string,
): Promise<void> {
  const { progress, signal } = run;
  const { graph, model, output, settings } = prepared;
  const rewritten = isRewritten(settings);
  const folder = rewritten ? join(scratch, 'graph') : output;
  await compileWeights(run, prepared, pool, folder);
  await writeGraphFile(graph, folder);
  if (!rewritten) return;
  progress.begin('optimizing', { tensors: 1, bytes: 0 });
  const target = join(output, graph.files.graph);
  await mkdir(dirname(target), { recursive: true });
  const level = RUNTIME_LEVELS[settings.level];
  const path = join(folder, graph.files.graph);
  const weights = basename(graph.files.weights);
  const ids = Array.from({ length: CHECKED_TOKENS }, (_, index) => index % model.vocabulary);
  const cache = cacheShape(model, graph, CHECKED_TOKENS);
  await optimize({ kind: 'optimize', path, level, target, weights, cache, ids }, signal);
  progress.advance(1, 0);
  await rm(folder, { recursive: true, force: true });
}

function decisionsOf(prepared: PreparedCompilation): readonly string[] {
  const { checkpoint, settings, model, chosen, positions, graph, notes } = prepared;
  const nodes = Object.values(graph.nodes).reduce((sum, count) => sum + count, 0);
  return [
    `model: ${checkpoint.config.modelType}, ${model.blocks.length} blocks, architecture ${model.architecture}`,
    settingsLine(settings.effective),
    `graph: ${chosen.dtype}, ${nodes} nodes, ${positions} positions, ${formatBytes(graph.weightBytes)} of weights`,
    ...(chosen.kept === 0 ? [] : [`${chosen.kept} layers keep the codes of the source`]),
    ...notes.map((note) => `note: ${note}`),
  ];
}
