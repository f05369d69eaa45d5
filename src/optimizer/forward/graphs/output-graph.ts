import { GraphBuilder } from '../onnx/graph-builder.js';
import { type LinearSpec, linear } from './linear.js';
import { norm } from './norm.js';

export const HIDDEN_INPUT = 'hidden';
export const HIDDEN_OUTPUT = 'result';
export const LAST_INPUT = 'last';

export interface OutputGraphSpec {
  readonly kind: 'output';
  readonly hiddenSize: number;
  readonly epsilon: number;
  readonly output: LinearSpec;
  readonly normAfter: boolean;
  /** A linear layer of one output on `hidden`, whose sigmoid the result is multiplied by. */
  readonly gate: LinearSpec | undefined;
  /** Whether the result is added to `hidden`. */
  readonly residual: boolean;
}

/** The end of a stage, attention or feed-forward network: its last linear layer and what follows.
 *
 * Inputs: `hidden` `[tokens, hiddenSize]` as it was before the stage, `last` `[tokens, columns]`, and the
 * weights by their roles. Output: `result`, shaped as `hidden`. */
export function outputGraph(spec: OutputGraphSpec): Uint8Array {
  const { hiddenSize, epsilon, output, gate } = spec;
  const graph = new GraphBuilder();
  const hidden = graph.input(HIDDEN_INPUT, ['tokens', hiddenSize]);
  let result = linear(graph, graph.input(LAST_INPUT, ['tokens', output.columns]), output);
  if (gate !== undefined) {
    const share = graph.op('Sigmoid', [linear(graph, hidden, gate)]);
    result = graph.op('Mul', [result, share]);
  }
  if (spec.normAfter) result = norm(graph, result, 'norm_after', hiddenSize, epsilon);
  if (spec.residual) result = graph.op('Add', [hidden, result]);
  graph.output(HIDDEN_OUTPUT, result, ['tokens', hiddenSize]);
  return graph.build('output');
}
