import type { ForwardModel } from '../../../checkpoint/architectures/forward/forward-model.js';
import type { GraphBuilder, Value } from '../../forward/onnx/graph-builder.js';
import { ELEMENT_TYPES } from '../../forward/onnx/model.js';
import type { ModuleForm } from '../weights/module-form.js';
import type { WeightCollector } from '../weights/weight-collector.js';
import type { FloatElement } from './element.js';

/** What a graph is to be like, apart from the model. */
export interface GraphOptions {
  /** Of activations, of the key/value cache, and of weights that are not codes. */
  readonly element: FloatElement;
  /** Longest sequence. */
  readonly positions: number;
  /** Whether what ONNX Runtime has one operator for is one: norms with the addition before them,
   * projections of one input. */
  readonly fuse: boolean;
  /** `accuracy_level` of MatMulNBits: 0 or 1 for f32 activations, 4 for int8 ones. */
  readonly accuracyLevel: number;
  formOf(module: string): ModuleForm;
  /** Of the table of token embeddings, which may differ from the output layer's even where the model ties
   * the two. */
  readonly embedding: ModuleForm;
  /** Whether the checkpoint has a tensor of this name. */
  has(tensor: string): boolean;
}

/** A graph under construction. Activations are `[tokens, width]`; only attention sees sequences. */
export interface DecoderContext extends GraphOptions {
  readonly model: ForwardModel;
  readonly graph: GraphBuilder;
  readonly weights: WeightCollector;
  /** Of the sum of all blocks' outputs and of norms: f32 where f16 could not hold it. */
  readonly stream: FloatElement;
  readonly inputs: SequenceInputs;
}

/** What attention needs to know of the sequences of one run. */
export interface SequenceInputs {
  /** `[sequences, positions, -1]`: the shape of `[tokens, width]` values taken apart. */
  readonly split: Value;
  /** Last position of each sequence, `[sequences]`. */
  readonly last: Value;
  /** Length of the longest sequence, without dimensions. */
  readonly total: Value;
  /** Positions of this run's tokens, `[sequences, positions]`. */
  positions(): Value;
}

/** Changes the type of a value, where it has another. */
export function cast(
  { graph }: DecoderContext,
  x: Value,
  from: FloatElement,
  to: FloatElement,
): Value {
  return from === to ? x : graph.op('Cast', [x], { to: ELEMENT_TYPES[to] });
}
