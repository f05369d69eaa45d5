import type { ForwardModel } from '../../../checkpoint/architectures/forward/forward-model.js';
import { GraphBuilder, type Value } from '../../forward/onnx/graph-builder.js';
import { ELEMENT_TYPES } from '../../forward/onnx/model.js';
import type { PlannedWeight } from '../weights/planned-weight.js';
import { WeightCollector } from '../weights/weight-collector.js';
import { WeightFile } from '../weights/weight-file.js';
import { attention } from './attention.js';
import type { DecoderContext, GraphOptions, SequenceInputs } from './decoder-context.js';
import { embed } from './embedding.js';
import { experts } from './experts.js';
import { feedForward } from './feed-forward.js';
import { head } from './head.js';
import { IDS_INPUT, MASK_INPUT } from './names.js';
import { ResidualStream } from './norm.js';

/** A decoder as one graph, and the plan of the file that its weights are in. */
export interface DecoderGraph {
  /** The bytes of an ONNX file. */
  readonly model: Uint8Array;
  /** How many there are of each operator. */
  readonly nodes: Readonly<Record<string, number>>;
  readonly weights: readonly PlannedWeight[];
  /** Bytes of the file of weights. */
  readonly weightBytes: number;
}

/** Builds the graph of a whole model with its key/value cache.
 *
 * Inputs: `input_ids` `[batch_size, sequence_length]`, `attention_mask` `[batch_size,
 * total_sequence_length]`, both int64, and `past_key_values.N.key` and `.value` `[batch_size, key/value
 * heads, past_sequence_length, head size]`. Outputs: `logits` `[batch_size, sequence_length,
 * vocabulary]` in f32, and `present.N.key` and `.value`. Sequences are filled up at their ends.
 * @param file name of the file of weights, from the graph's folder. */
export function decoderGraph(
  model: ForwardModel,
  file: string,
  options: GraphOptions,
): DecoderGraph {
  const graph = new GraphBuilder();
  const weightFile = new WeightFile(file);
  const ids = graph.input(IDS_INPUT, ['batch_size', 'sequence_length'], 'int64');
  const mask = graph.input(MASK_INPUT, ['batch_size', 'total_sequence_length'], 'int64');
  const context: DecoderContext = {
    ...options,
    model,
    graph,
    weights: new WeightCollector(graph, weightFile),
    // Models that scale their embeddings are known to leave the range of f16.
    stream: model.embedding.scale === 1 ? options.element : 'float32',
    inputs: sequenceInputs(graph, ids, mask),
  };
  const stream = new ResidualStream(context, embed(context, ids));
  for (const [index, block] of model.blocks.entries()) {
    const { attention: attending, feedForward: feeding } = block;
    const input = stream.normed(attending.norms.before);
    stream.add(attention(context, attending, input, index), attending.norms.after);
    const x = stream.normed(feeding.norms.before);
    const output =
      feeding.kind === 'experts'
        ? experts(context, feeding, x, block.name)
        : feedForward(context, feeding, x);
    stream.add(output, feeding.norms.after);
  }
  head(context, stream.normed(model.finalNorm));
  return {
    model: graph.build('decoder'),
    nodes: countByType(graph),
    weights: context.weights.weights,
    weightBytes: weightFile.size,
  };
}

function sequenceInputs(graph: GraphBuilder, ids: Value, mask: Value): SequenceInputs {
  const sizes = graph.op('Shape', [ids]);
  const lengths = graph.op('ReduceSum', [mask, graph.ints([1])], { keepdims: 0 });
  const total = graph.op('Gather', [graph.op('Shape', [mask]), graph.integer(1)], { axis: 0 });
  let positions: Value | undefined;
  return {
    split: graph.op('Concat', [sizes, graph.ints([-1])], { axis: 0 }),
    last: graph.op('Cast', [graph.op('Sub', [lengths, graph.ints([1])])], {
      to: ELEMENT_TYPES.int32,
    }),
    total: graph.op('Cast', [total], { to: ELEMENT_TYPES.int32 }),
    positions: () => {
      if (positions !== undefined) return positions;
      const count = graph.op('Gather', [sizes, graph.integer(1)], { axis: 0 });
      // A sequence that is filled up is shorter than what was read of it.
      const first = graph.op('Max', [graph.op('Sub', [lengths, count]), graph.integer(0)]);
      const offsets = graph.op('Range', [graph.integer(0), count, graph.integer(1)]);
      positions = graph.op('Add', [graph.op('Unsqueeze', [first, graph.ints([1])]), offsets]);
      return positions;
    },
  };
}

function countByType(graph: GraphBuilder): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { type } of graph.graph('decoder').nodes) counts[type] = (counts[type] ?? 0) + 1;
  return counts;
}
