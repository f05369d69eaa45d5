import { GraphBuilder } from '../onnx/graph-builder.js';
import { type LinearSpec, linear } from './linear.js';
import { norm } from './norm.js';
import { HIDDEN_INPUT } from './output-graph.js';

export const NORMED_OUTPUT = 'normed';
export const SHARES_OUTPUT = 'shares';

export interface RoutingGraphSpec {
  readonly kind: 'routing';
  readonly hiddenSize: number;
  readonly epsilon: number;
  readonly router: LinearSpec;
}

/** The norm before a mixture of experts, and each expert's share before any are chosen. Input: `hidden`
 * `[tokens, width]`. Outputs: `normed`, shaped as it, and `shares` `[tokens, experts]`. */
export function routingGraph(spec: RoutingGraphSpec): Uint8Array {
  const { hiddenSize, epsilon, router } = spec;
  const graph = new GraphBuilder();
  const hidden = graph.input(HIDDEN_INPUT, ['tokens', hiddenSize]);
  const normed = norm(graph, hidden, 'norm', hiddenSize, epsilon);
  const shares = graph.op('Softmax', [linear(graph, normed, router)], { axis: -1 });
  graph.output(NORMED_OUTPUT, normed, ['tokens', hiddenSize]);
  graph.output(SHARES_OUTPUT, shares, ['tokens', router.rows]);
  return graph.build('routing');
}
