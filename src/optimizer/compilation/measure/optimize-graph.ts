import * as ort from '../../onnx-runtime/onnx-runtime.js';
import { CachedDecoder } from './cached-decoder.js';
import type { OptimizeTask } from './graph-task.js';

/** Larger initializers go to the file of weights. */
const INLINE_BYTES = '1024';

/** Logits may differ by this much of the largest: other kernels add up in another order. */
const TOLERANCE = 1e-2;

/** Lets ONNX Runtime rewrite a graph for this machine's processors, saves what comes of it, so that loading
 * has no rewriting left to do, and holds it to the graph that it came from. Weights are not saved as the
 * kernels here pack them: other versions of ONNX Runtime pack them otherwise.
 * @throws Error if the two graphs do not give the same logits. */
export async function optimizeGraph(task: OptimizeTask): Promise<void> {
  const { path, level, target, weights } = task;
  const session = await ort.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: level,
    optimizedModelFilePath: target,
    logSeverityLevel: 3,
    extra: {
      session: {
        optimized_model_external_initializers_file_name: weights,
        optimized_model_external_initializers_min_size_in_bytes: INLINE_BYTES,
      },
    },
  });
  await session.release();
  const before = await logitsOf(path, level, task);
  const after = await logitsOf(target, 'disabled', task);
  const largest = before.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
  const apart = before.some(
    (logit, index) => !(Math.abs(logit - (after[index] ?? Number.NaN)) <= TOLERANCE * largest),
  );
  if (apart)
    throw new Error('the graph that it saved gives other logits than the one it was given');
}

async function logitsOf(
  path: string,
  level: OptimizeTask['level'],
  { cache, ids }: OptimizeTask,
): Promise<Float32Array> {
  const decoder = await CachedDecoder.open(path, level, cache);
  try {
    return Float32Array.from(await decoder.read(ids));
  } finally {
    await decoder.close();
  }
}
