import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import type { KernelPool } from '../../kernels/index.js';
import { MemoryError, memoryLimit } from '../memory.js';
import { formatBytes } from '../report/table.js';
import type { StepRun } from '../step-frame.js';
import { cacheShape } from './measure/cache-shape.js';
import { measure } from './measure/run-graph-task.js';
import {
  isRewritten,
  type PreparedCompilation,
  type PreparedGraph,
  prepareGraph,
} from './prepare.js';
import { memoryOfGraph } from './runtime-memory.js';
import { writeGraph } from './write-graph.js';

/** A smaller result is written sooner than a part of it is tried. */
const LEAST_BYTES = 128 * 1024 * 1024;

/** Rows of the embeddings and of the output layer that are enough to try; the largest tensor is tried as a
 * whole by itself. */
const TRIED_VOCABULARY = 256;

const TRIED_TOKENS = 8;

/** Looks before the long work whether it has a chance: whether a graph that is to be rewritten fits into
 * memory, and whether the largest block of a large model goes through.
 * @param scratch folder for what is tried; nothing of it stays.
 * @throws MemoryError with the numbers, CheckpointError, CompilationError; the signal's reason when it
 * aborts. */
export async function preflight(
  run: StepRun,
  prepared: PreparedCompilation,
  pool: KernelPool,
  scratch: string,
): Promise<void> {
  const { graph, settings } = prepared;
  if (isRewritten(settings)) checkRewriting(graph, run.memoryBytes);
  if (graph.weightBytes >= LEAST_BYTES) await tryLargestBlock(run, prepared, pool, scratch);
}

/** Takes the largest block through the whole path, between a few rows of the embeddings and of the output
 * layer: its weights are read, encoded, written, and loaded by ONNX Runtime, which runs them. */
export async function tryLargestBlock(
  { log, progress, signal }: StepRun,
  prepared: PreparedCompilation,
  pool: KernelPool,
  scratch: string,
): Promise<void> {
  const { checkpoint } = prepared;
  progress.begin('checking', { tensors: 1, bytes: 0 });
  const { name, model, part } = largestPart(prepared);
  const folder = join(scratch, 'tried');
  await mkdir(folder);
  try {
    await writeGraph(checkpoint, part, folder, pool, signal);
    const { peakMemoryBytes } = await measure(
      {
        kind: 'measure',
        path: join(folder, part.files.graph),
        level: 'all',
        cache: cacheShape(model, part, TRIED_TOKENS + 1),
        vocabulary: model.vocabulary,
        prompt: Array.from({ length: TRIED_TOKENS }, (_, id) => id % model.vocabulary),
        generate: 1,
        windows: [],
      },
      signal,
    );
    log(`the largest block, ${name}, ran in ${formatBytes(peakMemoryBytes)} of memory`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface TriedPart {
  readonly name: string;
  readonly model: ForwardModel;
  readonly part: PreparedGraph;
}

function largestPart({ checkpoint, graph, model }: PreparedCompilation): TriedPart {
  const names = { graph: 'model.onnx', weights: 'model.onnx.data' };
  const vocabulary = Math.min(TRIED_VOCABULARY, model.vocabulary);
  const parts = model.blocks.map((block): TriedPart => {
    const alone = { ...model, vocabulary, blocks: [block] };
    const part = prepareGraph(alone, checkpoint, names, graph.options);
    return { name: block.name, model: alone, part };
  });
  const [largest] = parts.sort((a, b) => b.part.weightBytes - a.part.weightBytes);
  if (largest === undefined) throw new Error('the model has no blocks');
  return largest;
}

/** @throws MemoryError if ONNX Runtime has no room to rewrite the graph. */
function checkRewriting({ weightBytes, options }: PreparedGraph, told: number | undefined): void {
  const needed = memoryOfGraph(weightBytes, options.element);
  const limit = memoryLimit(told);
  if (needed <= limit) return;
  throw new MemoryError(
    `there is too little memory: rewriting a graph with ${formatBytes(weightBytes)} of weights for this machine takes about ${formatBytes(needed)}, but it may take ${formatBytes(limit)}; OPTION_COMPILE_TARGET=portable does without`,
  );
}
