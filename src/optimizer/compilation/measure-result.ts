import { rm, stat, statfs } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';
import type { KernelPool } from '../../kernels/index.js';
import { memoryLimit } from '../memory.js';
import type { CompilationStepReport, MeasuredGraph } from '../report/compilation-types.js';
import type { StepRun } from '../step-frame.js';
import { cacheShape } from './measure/cache-shape.js';
import type { RuntimeLevel } from './measure/graph-task.js';
import { measure } from './measure/run-graph-task.js';
import type { MeasuringPlan } from './plan-measuring.js';
import {
  isRewritten,
  type PreparedCompilation,
  type PreparedGraph,
  prepareGraph,
} from './prepare.js';
import { MEASURED_SHARE } from './runtime-memory.js';
import { writeGraph } from './write-graph.js';

/** Measures the result, and beside it the same model as an fp32 graph of separate operators that ONNX
 * Runtime runs as it is. A graph that this machine has no room for is left out, with a note.
 * @param scratch folder for the second graph.
 * @throws CompilationError if ONNX Runtime does not run the result; the signal's reason when it aborts. */
export async function measureResult(
  run: StepRun,
  prepared: PreparedCompilation,
  plan: MeasuringPlan,
  pool: KernelPool,
  scratch: string,
): Promise<{
  readonly measured: CompilationStepReport['measured'];
  readonly notes: readonly string[];
}> {
  const { graph, output, settings } = prepared;
  run.progress.begin('measuring', { tensors: 2, bytes: 0 });
  if (!fitsMemory(graph, run.memoryBytes)) {
    const notes = ['Nothing was measured: the graph needs more memory than is free here.'];
    return { measured: null, notes };
  }
  const level = isRewritten(settings) ? 'disabled' : 'all';
  const compiled = await measureOne(run, prepared, plan, { graph, folder: output, level });
  run.progress.advance(1, 0, graph.files.graph);
  const plain = baselineGraph(prepared);
  const missing = await missingRoom(plain, scratch, run.memoryBytes);
  const facts = {
    compiled,
    promptTokens: plan.prompt.length,
    generatedTokens: plan.generate,
    text: plan.text,
    textTokens: plan.windows.reduce((sum, { length }) => sum + length - 1, 0),
  };
  if (missing !== undefined) {
    const notes = [`The fp32 graph was not measured beside the result: it needs more ${missing}.`];
    return { measured: { ...facts, baseline: null }, notes };
  }
  const folder = join(scratch, 'baseline');
  try {
    await writeGraph(prepared.checkpoint, plain, folder, pool, run.signal);
    const written = { graph: plain, folder, level: 'disabled' } as const;
    const baseline = await measureOne(run, prepared, plan, written);
    run.progress.advance(1, 0, 'the fp32 graph');
    return { measured: { ...facts, baseline }, notes: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function baselineGraph({ model, checkpoint, graph }: PreparedCompilation): PreparedGraph {
  return prepareGraph(model, checkpoint, graph.files, {
    element: 'float32',
    positions: graph.options.positions,
    fuse: false,
    accuracyLevel: 0,
    formOf: () => ({ kind: 'float' }),
    embedding: { kind: 'float' },
  });
}

/** A graph in its folder, and how much of it ONNX Runtime is to rewrite. */
interface WrittenGraph {
  readonly graph: PreparedGraph;
  readonly folder: string;
  readonly level: RuntimeLevel;
}

async function measureOne(
  { signal }: StepRun,
  { model, positions }: PreparedCompilation,
  { prompt, generate, windows }: MeasuringPlan,
  { graph, folder, level }: WrittenGraph,
): Promise<MeasuredGraph> {
  const longest = Math.max(prompt.length + generate, ...windows.map(({ length }) => length));
  const measured = await measure(
    {
      kind: 'measure',
      path: join(folder, graph.files.graph),
      level,
      cache: cacheShape(model, graph, Math.min(positions, longest)),
      vocabulary: model.vocabulary,
      prompt,
      generate,
      windows,
    },
    signal,
  );
  const sizes = [graph.files.graph, graph.files.weights].map((name) => stat(join(folder, name)));
  const bytes = (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0);
  return { bytes, ...measured };
}

function fitsMemory({ weightBytes }: PreparedGraph, told: number | undefined): boolean {
  return weightBytes < Math.min(freemem(), memoryLimit(told)) * MEASURED_SHARE;
}

/** What there is too little of for a graph, if there is. */
async function missingRoom(
  graph: PreparedGraph,
  folder: string,
  told: number | undefined,
): Promise<string | undefined> {
  if (!fitsMemory(graph, told)) return 'memory than is free here';
  const { bavail, bsize } = await statfs(folder);
  return graph.weightBytes < bavail * bsize ? undefined : 'space than the scratch disk has';
}
