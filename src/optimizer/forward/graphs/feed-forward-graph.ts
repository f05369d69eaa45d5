import type { GateOutput } from '../../../checkpoint/architectures/forward/forward-architecture.js';
import type { Activation } from '../../../checkpoint/architectures/forward/forward-model.js';
import { GraphBuilder, type Value } from '../onnx/graph-builder.js';
import { HIDDEN_INPUT, HIDDEN_OUTPUT } from './attention-graph.js';
import { type CaptureSpec, capture } from './capture.js';
import { type LinearSpec, linear } from './linear.js';
import { norm } from './norm.js';
import { type ProjectionSpec, project } from './project.js';

export interface FeedForwardGraphSpec {
  readonly kind: 'feed-forward';
  readonly hiddenSize: number;
  readonly epsilon: number;
  readonly width: number;
  readonly activation: Activation;
  readonly inputs: readonly ProjectionSpec<GateOutput>[];
  readonly output: LinearSpec;
  /** Whether the graph has the norm before and the residual connection around the network; experts
   * get an input that is normed already, and their outputs are added elsewhere. */
  readonly whole: boolean;
  readonly normAfter: boolean;
  /** A linear layer of one output whose sigmoid the result is multiplied by. */
  readonly gate: LinearSpec | undefined;
  readonly capture: CaptureSpec | undefined;
  /** Whether the result is wanted, beside what is captured. */
  readonly result: boolean;
}

/** A gated feed-forward network. Input: `hidden` `[tokens, width]` and the weights by their roles.
 * Output: `result`, shaped as `hidden`, unless only captures are wanted. */
export function feedForwardGraph(spec: FeedForwardGraphSpec): Uint8Array {
  const { hiddenSize, epsilon } = spec;
  const graph = new GraphBuilder();
  const hidden = graph.input(HIDDEN_INPUT, ['tokens', hiddenSize]);
  const x = spec.whole ? norm(graph, hidden, 'norm', hiddenSize, epsilon) : hidden;
  if (capture(graph, x, 'input', hiddenSize, spec.capture) && !spec.result) {
    return graph.build('feed_forward');
  }
  const part = project(graph, x, spec.inputs);
  const product = graph.op('Mul', [activate(graph, part('gate'), spec.activation), part('up')]);
  if (capture(graph, product, 'output', spec.width, spec.capture) && !spec.result) {
    return graph.build('feed_forward');
  }
  let result = linear(graph, product, spec.output);
  if (spec.gate !== undefined) {
    const share = graph.op('Sigmoid', [linear(graph, hidden, spec.gate)]);
    result = graph.op('Mul', [result, share]);
  }
  if (spec.normAfter) result = norm(graph, result, 'norm_after', hiddenSize, epsilon);
  if (spec.whole) result = graph.op('Add', [hidden, result]);
  graph.output(HIDDEN_OUTPUT, result, ['tokens', hiddenSize]);
  return graph.build('feed_forward');
}

function activate(graph: GraphBuilder, x: Value, activation: Activation): Value {
  switch (activation) {
    case 'silu':
      return graph.op('Mul', [x, graph.op('Sigmoid', [x])]);
    case 'gelu':
      return graph.op('Gelu', [x], { approximate: 'none' });
    case 'gelu_tanh':
      return graph.op('Gelu', [x], { approximate: 'tanh' });
    case 'relu':
      return graph.op('Relu', [x]);
  }
}
