import type { GraphBuilder, Value } from '../onnx/graph-builder.js';

/** Where a stage's linear layers get their inputs: those that its input goes to, and the last one. */
export type CapturePlace = 'input' | 'output';
export const CAPTURE_PLACES: readonly CapturePlace[] = ['input', 'output'];

/** What a graph tells about the inputs X of its linear layers at some places.
 *
 * - `sums`: `XᵀX`, and the sum and the largest of |x| for each column.
 * - `sums-beside`: the same, and `XᵀX′` with the inputs X′ of another model, which it is given.
 * - `inputs`: X itself. */
export interface CaptureSpec {
  readonly kind: 'sums' | 'sums-beside' | 'inputs';
  readonly places: readonly CapturePlace[];
}

/** Names of what a graph tells about one of its places, and of what it is given. */
export const gramOutput = (place: CapturePlace): string => `${place}.gram`;
export const magnitudeOutput = (place: CapturePlace): string => `${place}.magnitude`;
export const largestOutput = (place: CapturePlace): string => `${place}.largest`;
export const productOutput = (place: CapturePlace): string => `${place}.product`;
export const inputsOutput = (place: CapturePlace): string => `${place}.inputs`;
export const besideInput = (place: CapturePlace): string => `${place}.beside`;

/** Adds a place's outputs to a graph, if they are wanted.
 * @returns whether everything is told now that the specification asks for. */
export function capture(
  graph: GraphBuilder,
  x: Value,
  place: CapturePlace,
  columns: number,
  spec: CaptureSpec | undefined,
): boolean {
  if (spec === undefined) return false;
  const last = spec.places.at(-1) === place;
  if (!spec.places.includes(place)) return last;
  if (spec.kind === 'inputs') {
    graph.output(inputsOutput(place), x, ['tokens', columns]);
    return last;
  }
  graph.output(gramOutput(place), graph.op('Gemm', [x, x], { transA: 1 }), [columns, columns]);
  const magnitude = graph.op('Abs', [x]);
  const overTokens = (type: string): Value =>
    graph.op(type, [magnitude, graph.ints([0])], { keepdims: 0 });
  graph.output(magnitudeOutput(place), overTokens('ReduceSum'), [columns]);
  graph.output(largestOutput(place), overTokens('ReduceMax'), [columns]);
  if (spec.kind === 'sums-beside') {
    const beside = graph.input(besideInput(place), ['tokens', columns]);
    const product = graph.op('Gemm', [x, beside], { transA: 1 });
    graph.output(productOutput(place), product, [columns, columns]);
  }
  return last;
}
