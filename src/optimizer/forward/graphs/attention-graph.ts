import type { AttentionOutput } from '../../../checkpoint/architectures/forward/forward-architecture.js';
import { GraphBuilder, type Value } from '../onnx/graph-builder.js';
import type { Graph } from '../onnx/model.js';
import { type CaptureSpec, capture } from './capture.js';
import { norm } from './norm.js';
import { HIDDEN_INPUT } from './output-graph.js';
import { type ProjectionSpec, project } from './project.js';

export interface AttentionGraphSpec {
  readonly kind: 'attention';
  readonly hiddenSize: number;
  readonly epsilon: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headSize: number;
  readonly rotaryDimensions: number;
  readonly scale: number;
  readonly softcap: number | undefined;
  readonly inputs: readonly ProjectionSpec<AttentionOutput>[];
  readonly headNorms: boolean;
  readonly capture: CaptureSpec;
}

/** Attention over sequences of equal length up to the inputs of its last linear layer, or as far as its
 * inputs are wanted.
 *
 * Queries are taken in tiles of so many positions, each of which sees the keys up to its own end: scores
 * of a whole sequence would fill the memory, and half of them would be hidden.
 *
 * Inputs: `hidden` `[sequences, positions, hiddenSize]`, `cos` and `sin` `[positions, rotated]`, `mask`
 * `[tiles, tile, positions]` that is added to scores, the last tile filled up, `ends` `[tiles, 1]`, and
 * the weights by their roles. */
export function attentionGraph(spec: AttentionGraphSpec): Uint8Array {
  const { hiddenSize, epsilon, heads, keyValueHeads, headSize } = spec;
  const graph = new GraphBuilder();
  const shape = ['sequences', 'positions', hiddenSize];
  const hidden = graph.input(HIDDEN_INPUT, shape);
  const rotation = {
    cos: graph.input('cos', ['positions', spec.rotaryDimensions]),
    sin: graph.input('sin', ['positions', spec.rotaryDimensions]),
  };
  const mask = graph.input('mask', ['tiles', 'tile', 'positions']);
  const ends = graph.input('ends', ['tiles', 1], 'int64');
  const sizes = graph.op('Shape', [hidden], { start: 0, end: 2 });
  const flat = graph.op('Reshape', [hidden, graph.ints([-1, hiddenSize])]);
  const normed = norm(graph, flat, 'norm', hiddenSize, epsilon);
  if (capture(graph, normed, 'input', hiddenSize, spec.capture)) return graph.build('attention');
  const part = project(graph, normed, spec.inputs);

  /** `[tokens, heads · size]` to `[sequences, positions, heads, size]`. */
  const byHead = (x: Value, count: number): Value =>
    graph.op('Reshape', [
      x,
      graph.op('Concat', [sizes, graph.ints([count, headSize])], { axis: 0 }),
    ]);
  const prepared = (x: Value, count: number, role: string): Value => {
    const split = byHead(x, count);
    const even = spec.headNorms ? norm(graph, split, role, headSize, epsilon) : split;
    const positionsLast = graph.op('Transpose', [even], { perm: [0, 2, 1, 3] });
    return rotate(graph, positionsLast, rotation, spec);
  };
  const positions = graph.op('Shape', [hidden], { start: 1, end: 2 });
  /** One entry for each key/value head of each sequence. */
  const perGroup = (x: Value, ...lead: number[]): Value =>
    graph.op('Reshape', [
      x,
      graph.op('Concat', [graph.ints([-1, ...lead]), positions, graph.ints([headSize])], {
        axis: 0,
      }),
    ]);
  const group = heads / keyValueHeads;
  const scaled = graph.op('Mul', [
    prepared(part('query'), heads, 'query_norm'),
    graph.scalar(spec.scale),
  ]);
  const keys = perGroup(prepared(part('key'), keyValueHeads, 'key_norm'));
  const values = graph.op('Transpose', [byHead(part('value'), keyValueHeads)], {
    perm: [0, 2, 1, 3],
  });
  const tile = graph.op('Shape', [mask], { start: 1, end: 2 });
  const inTiles = graph.op('Mul', [graph.op('Shape', [mask], { start: 0, end: 1 }), tile]);
  const filling = graph.op('Sub', [inTiles, positions]);
  const filled = graph.op('Pad', [
    perGroup(scaled, group),
    graph.op('Concat', [graph.ints([0]), filling], { axis: 0 }),
    graph.scalar(0),
    graph.ints([2]),
  ]);
  const tiled = graph.op('Reshape', [
    filled,
    graph.op('Concat', [graph.ints([0, group, -1]), tile, graph.ints([headSize])], { axis: 0 }),
  ]);
  const attended = graph.op(
    'Scan',
    [
      graph.op('Transpose', [tiled], { perm: [0, 2, 1, 3, 4] }),
      graph.op('Transpose', [keys], { perm: [0, 2, 1] }),
      perGroup(values),
    ],
    { num_scan_inputs: 3, body: attendHead(spec, mask, ends) },
  );
  const joined = graph.op('Reshape', [
    graph.op('Transpose', [attended], { perm: [0, 2, 1, 3, 4] }),
    graph.ints([0, group, -1, headSize]),
  ]);
  const fourDimensional = graph.op('Reshape', [
    graph.op('Slice', [joined, graph.ints([0]), positions, graph.ints([2])]),
    graph.op(
      'Concat',
      [
        graph.op('Shape', [hidden], { start: 0, end: 1 }),
        graph.ints([heads]),
        positions,
        graph.ints([headSize]),
      ],
      { axis: 0 },
    ),
  ]);
  const together = graph.op('Reshape', [
    graph.op('Transpose', [fourDimensional], { perm: [0, 2, 1, 3] }),
    graph.ints([-1, heads * headSize]),
  ]);
  capture(graph, together, 'output', heads * headSize, spec.capture);
  return graph.build('attention');
}

/** Rotates the leading elements of each head, the first half of them against the second. */
function rotate(
  graph: GraphBuilder,
  x: Value,
  { cos, sin }: { readonly cos: Value; readonly sin: Value },
  { headSize, rotaryDimensions }: AttentionGraphSpec,
): Value {
  const rest = headSize - rotaryDimensions;
  const [turned = x, kept] =
    rest === 0
      ? [x]
      : graph.ops('Split', [x, graph.ints([rotaryDimensions, rest])], 2, { axis: -1 });
  const half = rotaryDimensions / 2;
  const [first = x, second = x] = graph.ops('Split', [turned, graph.ints([half, half])], 2, {
    axis: -1,
  });
  const crossed = graph.op('Concat', [graph.op('Neg', [second]), first], { axis: -1 });
  const rotated = graph.op('Add', [
    graph.op('Mul', [turned, cos]),
    graph.op('Mul', [crossed, sin]),
  ]);
  return kept === undefined ? rotated : graph.op('Concat', [rotated, kept], { axis: -1 });
}

/** One key/value head with the query heads that share it, tile after tile: queries
 * `[tiles, group, tile, size]`, keys `[size, positions]`, values `[positions, size]`. */
function attendHead(spec: AttentionGraphSpec, mask: Value, ends: Value): Graph {
  const { headSize, heads, keyValueHeads } = spec;
  const group = heads / keyValueHeads;
  const graph = new GraphBuilder('head');
  const queries = graph.input('head_queries', ['tiles', group, 'tile', headSize]);
  const keys = graph.input('head_keys', [headSize, 'positions']);
  const values = graph.input('head_values', ['positions', headSize]);
  const attended = graph.op('Scan', [queries, mask, ends], {
    num_scan_inputs: 3,
    body: attendTile(spec, keys, values),
  });
  graph.output('head_result', attended, ['tiles', group, 'tile', headSize]);
  return graph.graph('attend_head');
}

/** One tile of queries, `[group, tile, size]`, with the keys and values before its end. */
function attendTile(spec: AttentionGraphSpec, keys: Value, values: Value): Graph {
  const { headSize, heads, keyValueHeads, softcap } = spec;
  const group = heads / keyValueHeads;
  const graph = new GraphBuilder('tile');
  const queries = graph.input('tile_queries', [group, 'tile', headSize]);
  const mask = graph.input('tile_mask', ['tile', 'positions']);
  const end = graph.input('tile_end', [1], 'int64');
  const seen = (x: Value, axis: number): Value =>
    graph.op('Slice', [x, graph.ints([0]), end, graph.ints([axis])]);
  const raw = graph.op('MatMul', [queries, seen(keys, 1)]);
  const scores = softcap === undefined ? raw : softcapped(graph, raw, softcap);
  const shares = graph.op('Softmax', [graph.op('Add', [scores, seen(mask, 1)])], { axis: -1 });
  const result = graph.op('MatMul', [shares, seen(values, 0)]);
  graph.output('tile_result', result, [group, 'tile', headSize]);
  return graph.graph('attend_tile');
}

/** `tanh(x / cap) · cap` */
export function softcapped(graph: GraphBuilder, x: Value, cap: number): Value {
  const limit = graph.scalar(cap);
  return graph.op('Mul', [graph.op('Tanh', [graph.op('Div', [x, limit])]), limit]);
}
