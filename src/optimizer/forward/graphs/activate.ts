import type { Activation } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';

/** The activation of a gated network, by ONNX's own operators. */
export function activate(graph: GraphBuilder, x: Value, activation: Activation): Value {
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
