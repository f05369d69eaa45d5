import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readForwardModel } from '#burnish/checkpoint/architectures/forward/read-forward-model.js';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import { CachedDecoder } from '#burnish/optimizer/compilation/measure/cached-decoder.js';
import type { RuntimeLevel } from '#burnish/optimizer/compilation/measure/graph-task.js';
import { runCompilation } from '#burnish/optimizer/compilation/run.js';
import { logicalTensors } from '#burnish/optimizer/compilation/weights/logical-tensors.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';
import { Progress } from '#burnish/optimizer/progress.js';
import type { CompilationStepReport } from '#burnish/optimizer/report/compilation-types.js';
import type { StepRun } from '#burnish/optimizer/step-frame.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

/** A compiled model in a folder of its own, and the step's report. */
export interface Compiled {
  readonly folder: string;
  readonly step: CompilationStepReport;
}

/** Compiles a checkpoint. Nothing is measured unless the environment says so. */
export async function compile(
  source: string,
  environment: Readonly<Record<string, string>> = {},
  more: Partial<StepRun> = {},
): Promise<Compiled> {
  const folder = temporaryFolder('compiled');
  const report = await runCompilation({
    inputFolder: source,
    outputFolder: folder,
    environment: { OPTION_COMPILE_MEASURE: 'false', ...environment },
    datasets: {},
    scratchFolder: undefined,
    progress: Progress.toFile(undefined),
    log: () => undefined,
    signal: new AbortController().signal,
    ...more,
  });
  const step = report.steps.at(-1);
  if (step?.technique !== 'compilation') throw new Error('the report tells of no compilation');
  return { folder, step };
}

/** Runs a compiled graph over one sequence.
 * @param step tokens that are read at a time; all unless given. */
export async function compiledLogits(
  source: string,
  { folder, step: { graph } }: Compiled,
  ids: readonly number[],
  step = ids.length,
  level: RuntimeLevel = 'all',
): Promise<Float32Array> {
  const checkpoint = await openCheckpoint(source);
  const files = new TensorFiles(checkpoint.tensors);
  const tensors = await logicalTensors(checkpoint.tensors, files);
  await files.close();
  const model = readForwardModel(checkpoint.config, tensors);
  const decoder = await CachedDecoder.open(join(folder, graph.file), level, {
    element: graph.dtype === 'fp16' ? 'float16' : 'float32',
    positions: ids.length,
    blocks: model.blocks.map(({ attention: { keyValueHeads: heads, headSize } }) => ({
      heads,
      headSize,
    })),
  });
  try {
    const all: number[] = [];
    for (let first = 0; first < ids.length; first += step) {
      all.push(...(await decoder.read(ids.slice(first, first + step))));
    }
    return Float32Array.from(all);
  } finally {
    await decoder.close();
  }
}

export async function readJson(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8'));
}
