import type { Value } from '../../forward/onnx/graph-builder.js';
import { cast, type DecoderContext } from './decoder-context.js';
import { linear } from './linear.js';
import { LOGITS_OUTPUT } from './names.js';

/** The output layer: makes the output `logits` of the normed hidden states. */
export function head(context: DecoderContext, x: Value): void {
  const { graph, model, element, inputs } = context;
  const { module, softcap } = model.head;
  const outputs = [{ module, first: 0, rows: model.vocabulary }];
  const own = cast(
    context,
    linear(context, x, module, outputs, model.hiddenSize),
    element,
    'float32',
  );
  const flat =
    softcap === undefined
      ? own
      : graph.op('Mul', [
          graph.op('Tanh', [graph.op('Div', [own, graph.scalar(softcap)])]),
          graph.scalar(softcap),
        ]);
  const logits = graph.named(LOGITS_OUTPUT, ['batch_size', 'sequence_length', model.vocabulary]);
  graph.ops('Reshape', [flat, inputs.split], [logits]);
}
