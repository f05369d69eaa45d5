import type {
  Activation,
  GatedNetwork,
} from '../../../checkpoint/architectures/forward/forward-model.js';
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
    activate(context, project(gate), network.activation),
    project(up),
  ]);
  const outputs = [{ module: network.output, first: 0, rows: model.hiddenSize }];
  return linear(context, product, network.output, outputs, gate.rows);
}

function activate({ graph, fuse }: DecoderContext, x: Value, activation: Activation): Value {
  switch (activation) {
    case 'silu': {
      if (!fuse) return graph.op('Mul', [x, graph.op('Sigmoid', [x])]);
      const [activated = NONE] = graph.fused('QuickGelu', [x], 1, { alpha: { float: 1 } });
      return activated;
    }
    case 'gelu':
      return graph.op('Gelu', [x], { approximate: 'none' });
    case 'gelu_tanh':
      return graph.op('Gelu', [x], { approximate: 'tanh' });
    case 'relu':
      return graph.op('Relu', [x]);
  }
}
