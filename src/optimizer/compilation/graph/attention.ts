import type { AttentionStage } from '../../../checkpoint/architectures/forward/forward-model.js';
import { NONE, type Value } from '../../forward/onnx/graph-builder.js';
import { CompilationError } from '../errors.js';
import type { DecoderContext } from './decoder-context.js';
import { canJoin, linear } from './linear.js';
import { cacheNames } from './names.js';
import { norm } from './norm.js';
import { joinedName, type Outputs, outputsOf, ownName } from './outputs.js';
import { type Rotation, rotate, rotationTables } from './rotation.js';

/** GroupQueryAttention takes heads whose size is a multiple of this. */
const HEAD_UNIT = 8;

/** Attention with the key/value cache: `x` `[tokens, width]` to the same.
 * @param index of the block.
 * @throws CompilationError for heads that the operator does not take. */
export function attention(
  context: DecoderContext,
  stage: AttentionStage,
  x: Value,
  index: number,
): Value {
  const { graph, inputs, element, model } = context;
  const { heads, keyValueHeads, headSize, softcap, window } = stage;
  if (headSize % HEAD_UNIT !== 0) {
    throw new CompilationError(
      `the model has heads of ${headSize}, and ONNX Runtime’s attention takes multiples of ${HEAD_UNIT}`,
    );
  }
  const rotation = rotationTables(context, stage.rotary, headSize);
  const [query, key, value] = projections(context, stage, x, rotation);
  const names = cacheNames(index);
  const shape = ['batch_size', keyValueHeads, 'past_sequence_length', headSize];
  const past = [
    graph.input(names.past.key, shape, element),
    graph.input(names.past.value, shape, element),
  ];
  const presentShape = ['batch_size', keyValueHeads, 'total_sequence_length', headSize];
  const present = [
    graph.named(names.present.key, presentShape, element),
    graph.named(names.present.value, presentShape, element),
  ];
  const attended = graph.fresh();
  graph.fused(
    'GroupQueryAttention',
    [
      ...[query, key, value, ...past, inputs.last, inputs.total],
      ...(rotation.fused ? [rotation.cos, rotation.sin] : []),
    ],
    [attended, ...present],
    {
      num_heads: heads,
      kv_num_heads: keyValueHeads,
      scale: { float: stage.scale },
      local_window_size: window ?? -1,
      softcap: { float: softcap ?? 0 },
      do_rotary: rotation.fused ? 1 : 0,
      rotary_interleaved: 0,
    },
  );
  const together = graph.op('Reshape', [attended, graph.ints([-1, heads * headSize])]);
  const outputs = [{ module: stage.output, first: 0, rows: model.hiddenSize }];
  return linear(context, together, stage.output, outputs, heads * headSize);
}

/** Query, key and value, `[sequences, positions, …]` each; all in the first where nothing has to be done to
 * one of them alone. */
function projections(
  context: DecoderContext,
  stage: AttentionStage,
  x: Value,
  rotation: Rotation,
): readonly [Value, Value, Value] {
  const { graph, inputs, model } = context;
  const { heads, keyValueHeads, headSize, headNorms } = stage;
  const query = outputsOf(stage.inputs, 'query');
  const key = outputsOf(stage.inputs, 'key');
  const value = outputsOf(stage.inputs, 'value');
  const split = (whole: Value): Value => graph.op('Reshape', [whole, inputs.split]);
  const project = (name: string, outputs: readonly Outputs[]): Value =>
    linear(context, x, name, outputs, model.hiddenSize);
  const all = [query, key, value];
  if (headNorms === undefined && rotation.fused && canJoin(context, all)) {
    return [split(project(joinedName(all), all)), NONE, NONE];
  }
  const prepared = (own: Outputs, count: number, normed: string | undefined): Value => {
    const plain = project(ownName(own, all), [own]);
    const even = normed === undefined ? plain : headNorm(context, plain, normed, count, headSize);
    if (rotation.fused) return split(even);
    const sizes = { heads: count, headSize, dimensions: stage.rotary.dimensions };
    return rotate(context, split(even), rotation, sizes);
  };
  return [
    prepared(query, heads, headNorms?.query),
    prepared(key, keyValueHeads, headNorms?.key),
    split(project(ownName(value, all), [value])),
  ];
}

function headNorm(
  context: DecoderContext,
  x: Value,
  module: string,
  heads: number,
  headSize: number,
): Value {
  const { graph, element } = context;
  const byHead = graph.op('Reshape', [x, graph.ints([-1, heads, headSize])]);
  return norm(context, byHead, module, headSize, element);
}
