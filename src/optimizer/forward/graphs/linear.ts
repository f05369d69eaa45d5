import type { GraphBuilder, Value } from '../onnx/graph-builder.js';
import { ELEMENT_TYPES } from '../onnx/model.js';

/** How the input of a layer is rounded where the result will run with 8-bit activations: to int8 or FP8
 * E4M3 with one scale for every token, or to FP8 with one scale known beforehand. */
export type InputRoundingKind = 'int8-token' | 'float8-token' | 'float8-tensor';

export interface LinearSpec {
  /** Begins the names of its weights among the graph's inputs. */
  readonly role: string;
  readonly rows: number;
  readonly columns: number;
  readonly bias: boolean;
  readonly rounding: InputRoundingKind | undefined;
}

/** Largest finite value of FP8 E4M3FN. */
const FLOAT8_LARGEST = 448;

const INT8_LARGEST = 127;

/** Keeps the scale of an all-zero token from dividing by zero. */
const LEAST_SCALE = 1e-12;

/** Names of a layer's tensors among the inputs of a graph. */
export const weightInput = (role: string): string => `${role}.weight`;
export const biasInput = (role: string): string => `${role}.bias`;
export const scaleInput = (role: string): string => `${role}.input_scale`;

/** `x · Wᵀ + b` for `x` `[tokens, columns]`. */
export function linear(graph: GraphBuilder, x: Value, spec: LinearSpec): Value {
  const { role, rows, columns, bias, rounding } = spec;
  const input = rounding === undefined ? x : rounded(graph, x, role, rounding);
  const inputs = [input, graph.input(weightInput(role), [rows, columns])];
  if (bias) inputs.push(graph.input(biasInput(role), [rows]));
  return graph.op('Gemm', inputs, { transB: 1 });
}

/** What `x` is after it went through the narrow type and back. */
function rounded(graph: GraphBuilder, x: Value, role: string, kind: InputRoundingKind): Value {
  if (kind === 'float8-tensor') {
    return throughFloat8(graph, x, graph.input(scaleInput(role), [1]));
  }
  const largest = graph.op('ReduceMax', [graph.op('Abs', [x]), graph.ints([-1])], { keepdims: 1 });
  const scaleTo = (most: number): Value =>
    graph.op('Max', [graph.op('Div', [largest, graph.scalar(most)]), graph.scalar(LEAST_SCALE)]);
  if (kind === 'float8-token') return throughFloat8(graph, x, scaleTo(FLOAT8_LARGEST));
  const scale = scaleTo(INT8_LARGEST);
  const codes = graph.op('Clip', [
    graph.op('Round', [graph.op('Div', [x, scale])]),
    graph.scalar(-INT8_LARGEST - 1),
    graph.scalar(INT8_LARGEST),
  ]);
  return graph.op('Mul', [codes, scale]);
}

function throughFloat8(graph: GraphBuilder, x: Value, scale: Value): Value {
  const narrow = graph.op('Cast', [graph.op('Div', [x, scale])], {
    to: ELEMENT_TYPES.float8e4m3fn,
    saturate: 1,
  });
  return graph.op('Mul', [graph.op('Cast', [narrow], { to: ELEMENT_TYPES.float32 }), scale]);
}
