import type { ForwardModel } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { PreparedGraph } from '../prepare.js';
import type { CacheShape } from './graph-task.js';

/** The key/value cache of one sequence of a graph.
 * @param positions that there is room for. */
export function cacheShape(
  model: ForwardModel,
  { options }: PreparedGraph,
  positions: number,
): CacheShape {
  return {
    element: options.element,
    positions,
    blocks: model.blocks.map(({ attention }) => ({
      heads: attention.keyValueHeads,
      headSize: attention.headSize,
    })),
  };
}
