import type {
  Activation,
  GatedNetwork,
} from '../../../checkpoint/architectures/forward/forward-model.js';
import { activate } from '../../forward/graphs/activate.js';
import { NONE, type Value } from '../../forward/onnx/graph-builder.js';
import type { DecoderContext } from './decoder-context.js';
import { linear } from './linear.js';
import { outputsOf, ownName } from './outputs.js';

/** A gated feed-forward network: `x` `[tokens, width]` to the same. */
export function feedForward(context: DecoderContext, network: GatedNetwork, x: Value): Value {
  const { graph, model } = context;
  const both = [outputsOf(network.inputs, 'gate'), outputsOf(network.inputs, 'up')] as const;
  const [gate, up] = both;
  const project = (own: typeof gate): Value =>
    linear(context, x, ownName(own, both), [own], model.hiddenSize);
  const product = graph.op('Mul', [
    activated(context, project(gate), network.activation),
    project(up),
  ]);
  const outputs = [{ module: network.output, first: 0, rows: model.hiddenSize }];
  return linear(context, product, network.output, outputs, gate.rows);
}

function activated({ graph, fuse }: DecoderContext, x: Value, activation: Activation): Value {
  if (!fuse || activation !== 'silu') return activate(graph, x, activation);
  const [fused = NONE] = graph.fused('QuickGelu', [x], 1, { alpha: { float: 1 } });
  return fused;
}
