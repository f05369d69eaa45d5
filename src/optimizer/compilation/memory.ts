import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import type { DeploymentInstance } from '../contract.js';
import type { MemoryReport } from '../report/compilation-types.js';
import { ELEMENT_BYTES, type FloatElement } from './graph/element.js';

/** What a compiled model takes on an accelerator: its weights, and the key/value cache of a batch of
 * sequences of full length. ONNX Runtime runs a model on one accelerator. */
export function memoryOf(
  model: ForwardModel,
  element: FloatElement,
  weightBytes: number,
  { positions, batch }: { readonly positions: number; readonly batch: number },
  deployment: DeploymentInstance | undefined,
): MemoryReport {
  const positionBytes = model.blocks.reduce(
    (sum, { attention: { keyValueHeads, headSize } }) =>
      sum + 2 * keyValueHeads * headSize * ELEMENT_BYTES[element],
    0,
  );
  const cacheBytes = positionBytes * positions * batch;
  const available = deployment === undefined ? undefined : deployment.memoryGb * 1e9;
  const left = available === undefined ? undefined : available - weightBytes;
  return {
    positions,
    batch,
    weightBytes,
    cacheBytes,
    cacheBytesPerPosition: positionBytes,
    deployment: deployment ?? null,
    fits: left === undefined ? null : cacheBytes <= left,
    memoryShare: available === undefined ? null : (weightBytes + cacheBytes) / available,
    largestBatch:
      left === undefined ? null : Math.max(0, Math.floor(left / (positionBytes * positions))),
  };
}
