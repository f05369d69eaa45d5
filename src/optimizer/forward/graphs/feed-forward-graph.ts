import type { GateOutput } from '../../../checkpoint/architectures/forward/forward-architecture.js';
import type { Activation } from '../../../checkpoint/architectures/forward/forward-model.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import { activate } from './activate.js';
import { type CaptureSpec, capture, placeValue } from './capture.js';
import { norm } from './norm.js';
import { HIDDEN_INPUT } from './output-graph.js';
import { type ProjectionSpec, project } from './project.js';

export interface FeedForwardGraphSpec {
  readonly kind: 'feed-forward';
  readonly hiddenSize: number;
  readonly epsilon: number;
  readonly width: number;
  readonly activation: Activation;
  readonly inputs: readonly ProjectionSpec<GateOutput>[];
  /** Whether the norm before the network is part of it; experts get an input that is normed already. */
  readonly normBefore: boolean;
  readonly capture: CaptureSpec;
}

/** A gated feed-forward network up to the inputs of its last linear layer, or as far as its inputs are
 * wanted. Input: `hidden` `[tokens, hiddenSize]` and the weights by their roles. */
export function feedForwardGraph(spec: FeedForwardGraphSpec): Uint8Array {
  const { hiddenSize, epsilon } = spec;
  const graph = new GraphBuilder();
  const hidden = graph.input(HIDDEN_INPUT, ['tokens', hiddenSize]);
  const x = spec.normBefore ? norm(graph, hidden, 'norm', hiddenSize, epsilon) : hidden;
  if (capture(graph, x, 'input', hiddenSize, spec.capture)) return graph.build('feed_forward');
  const part = project(graph, x, spec.inputs);
  const product = placeValue(graph, 'output', spec.capture);
  graph.ops('Mul', [activate(graph, part('gate'), spec.activation), part('up')], [product]);
  capture(graph, product, 'output', spec.width, spec.capture);
  return graph.build('feed_forward');
}
