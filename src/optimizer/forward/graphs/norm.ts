import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { weightInput } from './linear.js';

/** Root mean square norm over the last dimension, its weight an input of the graph. Weights of norms
 * that multiply by `1 + weight` come with the one added. */
export function norm(
  graph: GraphBuilder,
  x: Value,
  role: string,
  size: number,
  epsilon: number,
): Value {
  const weight = graph.input(weightInput(role), [size]);
  return graph.op('RMSNormalization', [x, weight], { axis: -1, epsilon: { float: epsilon } });
}
