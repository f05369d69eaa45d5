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
  /** Whether each token of X is brought to the root mean square 1 before products are summed up, the same
   * token of X′ divided by the same number, so that all tokens count alike. */
  readonly evenTokens: boolean;
}

/** Names of what a graph tells about one of its places, and of what it is given. */
export const gramOutput = (place: CapturePlace): string => `${place}.gram`;
export const magnitudeOutput = (place: CapturePlace): string => `${place}.magnitude`;
export const largestOutput = (place: CapturePlace): string => `${place}.largest`;
export const productOutput = (place: CapturePlace): string => `${place}.product`;
export const inputsOutput = (place: CapturePlace): string => `${place}.inputs`;
export const besideInput = (place: CapturePlace): string => `${place}.beside`;

/** Added to a token's mean square: a token whose inputs are all zero stays zero. */
const LEAST_SQUARE = 1e-20;

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
  const size = spec.evenTokens ? tokenSizes(graph, x) : undefined;
  const counted = (values: Value): Value =>
    size === undefined ? values : graph.op('Div', [values, size]);
  const own = counted(x);
  graph.output(gramOutput(place), graph.op('Gemm', [own, own], { transA: 1 }), [columns, columns]);
  const magnitude = graph.op('Abs', [x]);
  const overTokens = (type: string): Value =>
    graph.op(type, [magnitude, graph.ints([0])], { keepdims: 0 });
  graph.output(magnitudeOutput(place), overTokens('ReduceSum'), [columns]);
  graph.output(largestOutput(place), overTokens('ReduceMax'), [columns]);
  if (spec.kind === 'sums-beside') {
    const beside = graph.input(besideInput(place), ['tokens', columns]);
    const product = graph.op('Gemm', [own, counted(beside)], { transA: 1 });
    graph.output(productOutput(place), product, [columns, columns]);
  }
  return last;
}

/** Root mean squares of the tokens, `[tokens, 1]`. */
function tokenSizes(graph: GraphBuilder, x: Value): Value {
  const squares = graph.op('Mul', [x, x]);
  const mean = graph.op('ReduceMean', [squares, graph.ints([1])], { keepdims: 1 });
  return graph.op('Sqrt', [graph.op('Add', [mean, graph.scalar(LEAST_SQUARE)])]);
}
