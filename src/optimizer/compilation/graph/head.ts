import type { Value } from '../../forward/onnx/graph-builder.js';
import { cast, type DecoderContext } from './decoder-context.js';
import { linear } from './linear.js';
import { LOGITS_OUTPUT } from './names.js';

/** The output layer: makes the output `logits` of the normed hidden states. */
export function head(context: DecoderContext, x: Value): void {
  const { graph, model, element, inputs, formOf } = context;
  const { module, softcap } = model.head;
  const outputs = [{ module, first: 0, rows: model.vocabulary }];
  const sequences = (value: Value): Value => graph.op('Reshape', [value, inputs.split]);
  const logitsOf = (states: Value): Value =>
    linear(context, states, module, outputs, model.hiddenSize);
  // Logits are by far the largest of all values, and taking them apart copies them; products with codes take
  // sequences as they are, those with floats do not.
  const logits = formOf(module).kind === 'codes' ? logitsOf(sequences(x)) : sequences(logitsOf(x));
  const own = cast(context, logits, element, 'float32');
  const capped =
    softcap === undefined
      ? own
      : graph.op('Mul', [
          graph.op('Tanh', [graph.op('Div', [own, graph.scalar(softcap)])]),
          graph.scalar(softcap),
        ]);
  graph.output(LOGITS_OUTPUT, capped, ['batch_size', 'sequence_length', model.vocabulary]);
}
