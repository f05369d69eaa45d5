import type { Value } from '../../forward/onnx/graph-builder.js';
import { matrixOf, rowsOf } from '../weights/matrix.js';
import { cast, type DecoderContext } from './decoder-context.js';

/** The embeddings of tokens, `[tokens, width]`, in the type of the residual stream. */
export function embed(context: DecoderContext, ids: Value): Value {
  const { graph, weights, model, element, stream } = context;
  const { module, scale } = model.embedding;
  const matrix = matrixOf(model.hiddenSize, [rowsOf(module, 0, model.vocabulary)]);
  const table = weights.matrix(`${module}.weight`, matrix, element);
  const found = graph.op('Gather', [table, ids], { axis: 0 });
  const flat = graph.op('Reshape', [found, graph.ints([-1, model.hiddenSize])]);
  const wide = cast(context, flat, element, stream);
  return scale === 1 ? wide : graph.op('Mul', [wide, graph.scalar(scale)]);
}
