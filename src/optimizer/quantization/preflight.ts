import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ForwardBlock } from '../../checkpoint/architectures/forward/forward-model.js';
import type { FileRange, KernelPool } from '../../kernels/index.js';
import { calibrate } from '../calibration/calibrate.js';
import type { CalibrationPlan } from '../calibration/plan-calibration.js';
import { stageFamilies } from '../calibration/stage-families.js';
import { DEFAULT_MEMORY_BYTES } from '../forward/activations.js';
import { BLOCK_STAGES } from '../forward/forward-pass.js';
import { checkMemory } from '../memory.js';
import type { WeightFilesPlan } from '../output/weight-files.js';
import type { StepRun } from '../step-frame.js';
import type { PlannedLayer } from './plan.js';
import type { PreparedQuantization } from './prepare.js';

/** Takes the largest layer through the whole path before the long work, so that what has no chance fails
 * in the first minute: its kernels or sessions, its encoding, and the memory that all this takes. What
 * comes of it is thrown away; headers and free space were looked at before.
 * @throws MemoryError with the numbers, and whatever the work itself would throw. */
export async function preflight(
  run: StepRun,
  prepared: PreparedQuantization,
  pool: KernelPool,
): Promise<void> {
  const { progress, log, signal } = run;
  const { calibrated, plan, weights } = prepared;
  progress.begin('checking', { tensors: 1, bytes: 0 });
  if (calibrated === undefined) {
    const [largest] = weights.work
      .filter((item) => item.kind === 'quantize')
      .sort((a, b) => b.task.source.length - a.task.source.length);
    if (largest === undefined) return;
    await pool.quantizeRows(largest.task, { signal });
    checkMemory(run.memoryBytes, 0, `quantizing ${largest.layer.module}`);
    log(`the largest layer, ${largest.layer.module}, went through`);
    return;
  }
  const block = largestBlock(calibrated.plan, plan.layers);
  await tryBlock(run, prepared, calibrated, block);
  const { hiddenSize } = calibrated.plan.model;
  const tokens = calibrated.plan.report.tokens - (calibrated.plan.sequences[0]?.length ?? 0);
  const activations = tokens * hiddenSize * Float32Array.BYTES_PER_ELEMENT;
  const what = `calibrating ${block.attention.output}`;
  checkMemory(run.memoryBytes, Math.min(activations, DEFAULT_MEMORY_BYTES), what);
  log(`the largest block, that of ${block.attention.output}, went through with one sample`);
}

/** The block whose stages have the most to quantize. */
function largestBlock({ model }: CalibrationPlan, layers: readonly PlannedLayer[]): ForwardBlock {
  const bytes = new Map(layers.map(({ module, weight }) => [module, weight.length]));
  const size = (block: ForwardBlock): number =>
    Math.max(
      ...BLOCK_STAGES.map((stage) =>
        stageFamilies(block, stage)
          .flatMap(({ modules }) => modules)
          .reduce((sum, module) => sum + (bytes.get(module) ?? 0), 0),
      ),
    );
  return model.blocks.reduce((largest, block) => (size(block) > size(largest) ? block : largest));
}

/** One block as the model, one sample, and a file of its own for what comes of it. */
async function tryBlock(
  { scratchFolder, signal }: StepRun,
  prepared: PreparedQuantization,
  { plan, format }: NonNullable<PreparedQuantization['calibrated']>,
  block: ForwardBlock,
): Promise<void> {
  const path = join(scratchFolder ?? tmpdir(), `burnish-preflight-${randomUUID()}`);
  await writeFile(path, '', { flag: 'wx' });
  try {
    await calibrate({
      ...prepared,
      ...{ format, signal, scratchFolder },
      calibration: {
        ...plan,
        model: { ...plan.model, blocks: [block] },
        sequences: plan.sequences.slice(0, 1),
      },
      weights: elsewhere(prepared.weights, path),
      finished: [],
      onStage: () => {},
      onLayer: () => {},
    });
  } finally {
    await rm(path, { force: true });
  }
}

/** The same tensors, all of them in one file. */
function elsewhere(weights: WeightFilesPlan, path: string): WeightFilesPlan {
  let offset = 0;
  const ranges = new Map<string, FileRange>();
  for (const [name, { length }] of weights.ranges) {
    ranges.set(name, { path, offset, length });
    offset += length;
  }
  return { ...weights, ranges };
}
