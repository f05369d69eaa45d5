import { NONE, type Value } from '../../forward/onnx/graph-builder.js';
import { cast, type DecoderContext } from './decoder-context.js';
import type { FloatElement } from './element.js';

/** Root mean square norm over the last dimension. */
export function norm(
  context: DecoderContext,
  x: Value,
  module: string,
  size: number,
  element: FloatElement,
): Value {
  const weight = normWeight(context, module, size, element);
  return context.graph.op('RMSNormalization', [x, weight], {
    axis: -1,
    epsilon: { float: context.model.norms.epsilon },
  });
}

function normWeight(
  { weights, model }: DecoderContext,
  module: string,
  size: number,
  element: FloatElement,
): Value {
  const name = `${module}.weight`;
  const parts = [{ name, first: 0, count: size }];
  return weights.vector(name, parts, element, model.norms.addOne ? 1 : 0);
}

/** The sum of what all stages so far have put out, with the last of them not yet added: the norm that
 * comes next adds it. */
export class ResidualStream {
  readonly #context: DecoderContext;
  #sum: Value;
  #pending: Value | undefined;

  /** @param embedded in the type of the stream. */
  constructor(context: DecoderContext, embedded: Value) {
    this.#context = context;
    this.#sum = embedded;
  }

  /** The norm of the sum, in the type that linear layers take. */
  normed(module: string): Value {
    const { model, stream, element } = this.#context;
    return cast(this.#context, this.#norm(module, model.hiddenSize, stream), stream, element);
  }

  /** Adds the output of a stage.
   * @param after the norm that goes over it first, if there is one. */
  add(output: Value, after: string | undefined): void {
    const { model, stream, element } = this.#context;
    const own = cast(this.#context, output, element, stream);
    this.#pending =
      after === undefined ? own : norm(this.#context, own, after, model.hiddenSize, stream);
  }

  #norm(module: string, size: number, element: FloatElement): Value {
    const { graph, model, fuse } = this.#context;
    if (this.#pending === undefined) return norm(this.#context, this.#sum, module, size, element);
    if (!fuse) {
      this.#sum = graph.op('Add', [this.#sum, this.#pending]);
      return norm(this.#context, this.#sum, module, size, element);
    }
    const normed = graph.fresh();
    const sum = graph.fresh();
    graph.fused(
      'SkipSimplifiedLayerNormalization',
      [this.#sum, this.#pending, normWeight(this.#context, module, size, element)],
      [normed, NONE, NONE, sum],
      { epsilon: { float: model.norms.epsilon } },
    );
    this.#sum = sum;
    return normed;
  }
}
