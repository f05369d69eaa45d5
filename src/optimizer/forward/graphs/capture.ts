import type { GraphBuilder, Value } from '../onnx/graph-builder.js';

/** Names of what a graph tells about one of its layers' inputs, `[tokens, columns]`. */
export const gramOutput = (point: string): string => `${point}.gram`;
export const magnitudeOutput = (point: string): string => `${point}.magnitude`;
export const largestOutput = (point: string): string => `${point}.largest`;

/** Adds the outputs: `XᵀX`, and the sum and the largest of |x| for each column. */
export function capture(graph: GraphBuilder, x: Value, point: string, columns: number): void {
  graph.output(gramOutput(point), graph.op('Gemm', [x, x], { transA: 1 }), [columns, columns]);
  const magnitude = graph.op('Abs', [x]);
  const overTokens = (type: string): Value =>
    graph.op(type, [magnitude, graph.ints([0])], { keepdims: 0 });
  graph.output(magnitudeOutput(point), overTokens('ReduceSum'), [columns]);
  graph.output(largestOutput(point), overTokens('ReduceMax'), [columns]);
}
