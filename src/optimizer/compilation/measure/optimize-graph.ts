import * as ort from 'onnxruntime-node';
import type { OptimizeTask } from './graph-task.js';

/** Larger initializers go to the file of weights. */
const INLINE_BYTES = '1024';

/** Lets ONNX Runtime rewrite a graph for this machine's processors, and saves what comes of it: with its
 * weights packed as the kernels here want them, so that loading has nothing left to do. */
export async function optimizeGraph({ path, level, target, weights }: OptimizeTask): Promise<void> {
  const session = await ort.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: level,
    optimizedModelFilePath: target,
    logSeverityLevel: 3,
    extra: {
      session: {
        optimized_model_external_initializers_file_name: weights,
        optimized_model_external_initializers_min_size_in_bytes: INLINE_BYTES,
        save_external_prepacked_constant_initializers: '1',
      },
    },
  });
  await session.release();
}
