import { gramPanels, gramTiles } from '../gram-tiles.js';
import type { GraphBuilder, Value } from '../onnx/graph-builder.js';

/** Where a stage's linear layers get their inputs: those that its input goes to, and the last one. */
export type CapturePlace = 'input' | 'output';
export const CAPTURE_PLACES: readonly CapturePlace[] = ['input', 'output'];

/** Sums over tokens that a graph adds to, of the inputs X of linear layers at some places: `XᵀX`, and
 * perhaps the sum and the largest of |x| for each column. */
export interface SumsSpec {
  readonly places: readonly CapturePlace[];
  /** Whether there is `XᵀX′` too, with the inputs X′ of another model, which the graph is given. */
  readonly beside: boolean;
  /** Whether each token of X is brought to the root mean square 1 before products are summed up, the same
   * token of X′ divided by the same number, so that all tokens count alike. */
  readonly evenTokens: boolean;
  /** Whether there are sums of |x|. */
  readonly magnitudes: boolean;
}

/** What is wanted of a stage's inputs. Its graph ends with the last place that is named. */
export interface CaptureSpec {
  /** Where the inputs themselves come out. */
  readonly shown: readonly CapturePlace[];
  readonly sums: SumsSpec | undefined;
}

/** Names of what a graph tells about one of its places, and of what it is given. */
export const gramOutput = (place: CapturePlace, tile: string): string => `${place}.gram.${tile}`;
export const magnitudeOutput = (place: CapturePlace): string => `${place}.magnitude`;
export const largestOutput = (place: CapturePlace): string => `${place}.largest`;
export const productOutput = (place: CapturePlace): string => `${place}.product`;
export const shownOutput = (place: CapturePlace): string => `${place}.shown`;
export const besideInput = (place: CapturePlace): string => `${place}.beside`;

/** The name of a sum over the tokens before, among the inputs of a graph. */
export const sumInput = (output: string): string => `${output}.before`;

/** Added to a token's mean square: a token whose inputs are all zero stays zero. */
const LEAST_SQUARE = 1e-20;

/** What to call the inputs at a place, so that they need not be copied where they are shown. */
export function placeValue(graph: GraphBuilder, place: CapturePlace, spec: CaptureSpec): Value {
  return spec.shown.includes(place) ? (shownOutput(place) as Value) : graph.fresh();
}

/** Adds a place's outputs to a graph, as far as they are wanted.
 * @param x `[tokens, columns]`.
 * @returns whether everything is told now that the specification asks for. */
export function capture(
  graph: GraphBuilder,
  x: Value,
  place: CapturePlace,
  columns: number,
  { shown, sums }: CaptureSpec,
): boolean {
  if (shown.includes(place)) {
    const name = shownOutput(place);
    if (x === name) graph.named(name, ['tokens', columns]);
    else graph.output(name, x, ['tokens', columns]);
  }
  if (sums?.places.includes(place)) addSums(graph, x, place, columns, sums);
  return place === 'output' || !(shown.includes('output') || sums?.places.includes('output'));
}

function addSums(
  graph: GraphBuilder,
  x: Value,
  place: CapturePlace,
  columns: number,
  { beside, evenTokens, magnitudes }: SumsSpec,
): void {
  const size = evenTokens ? tokenSizes(graph, x) : undefined;
  const counted = (values: Value): Value =>
    size === undefined ? values : graph.op('Div', [values, size]);
  const own = counted(x);
  const products = (output: string, left: Value, right: Value, shape: readonly number[]): void => {
    const before = graph.input(sumInput(output), shape);
    graph.output(output, graph.op('Gemm', [left, right, before], { transA: 1 }), shape);
  };
  const overTokens = (output: string, x: Value, reduction: string, join: string): void => {
    const found = graph.op(reduction, [x, graph.ints([0])], { keepdims: 0 });
    const before = graph.input(sumInput(output), [columns]);
    graph.output(output, graph.op(join, [before, found]), [columns]);
  };
  const panels = split(graph, own, gramPanels(columns));
  for (const tile of gramTiles(columns)) {
    const [left = own, right = own] = [panels[tile.row], panels[tile.column]];
    products(gramOutput(place, tile.name), left, right, [tile.rows, tile.columns]);
  }
  if (magnitudes) {
    const magnitude = graph.op('Abs', [x]);
    overTokens(magnitudeOutput(place), magnitude, 'ReduceSum', 'Add');
    overTokens(largestOutput(place), magnitude, 'ReduceMax', 'Max');
  }
  if (!beside) return;
  const other = graph.input(besideInput(place), ['tokens', columns]);
  products(productOutput(place), own, counted(other), [columns, columns]);
}

/** The columns of `x`, `[tokens, columns]`, in panels of these widths. */
function split(graph: GraphBuilder, x: Value, widths: readonly number[]): readonly Value[] {
  if (widths.length === 1) return [x];
  return graph.ops('Split', [x, graph.ints(widths)], widths.length, { axis: 1 });
}

/** Root mean squares of the tokens, `[tokens, 1]`. */
function tokenSizes(graph: GraphBuilder, x: Value): Value {
  const squares = graph.op('Mul', [x, x]);
  const mean = graph.op('ReduceMean', [squares, graph.ints([1])], { keepdims: 1 });
  return graph.op('Sqrt', [graph.op('Add', [mean, graph.scalar(LEAST_SQUARE)])]);
}
