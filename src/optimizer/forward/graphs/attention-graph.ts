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
 * Inputs: `hidden` `[sequences, positions, hiddenSize]`, `cos` and `sin` `[positions, rotated]`, `mask`
 * `[positions, positions]` that is added to scores, and the weights by their roles. */
export function attentionGraph(spec: AttentionGraphSpec): Uint8Array {
  const { hiddenSize, epsilon, heads, keyValueHeads, headSize } = spec;
  const graph = new GraphBuilder();
  const shape = ['sequences', 'positions', hiddenSize];
  const hidden = graph.input(HIDDEN_INPUT, shape);
  const rotation = {
    cos: graph.input('cos', ['positions', spec.rotaryDimensions]),
    sin: graph.input('sin', ['positions', spec.rotaryDimensions]),
  };
  const mask = graph.input('mask', ['positions', 'positions']);
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
  const attended = graph.op(
    'Scan',
    [perGroup(scaled, group), graph.op('Transpose', [keys], { perm: [0, 2, 1] }), perGroup(values)],
    { num_scan_inputs: 3, body: attend(spec, mask) },
  );
  const fourDimensional = graph.op('Reshape', [
    attended,
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

/** One key/value head with the query heads that share it, so that scores take the memory of these heads
 * only: query `[group, positions, size]`, keys `[size, positions]`, values `[positions, size]`. */
function attend(spec: AttentionGraphSpec, mask: Value): Graph {
  const { headSize, heads, keyValueHeads, softcap } = spec;
  const group = heads / keyValueHeads;
  const graph = new GraphBuilder('head');
  const query = graph.input('head_query', [group, 'positions', headSize]);
  const keys = graph.input('head_keys', [headSize, 'positions']);
  const values = graph.input('head_values', ['positions', headSize]);
  const raw = graph.op('MatMul', [query, keys]);
  const scores = softcap === undefined ? raw : softcapped(graph, raw, softcap);
  const shares = graph.op('Softmax', [graph.op('Add', [scores, mask])], { axis: -1 });
  graph.output('head_result', graph.op('MatMul', [shares, values]), [group, 'positions', headSize]);
  return graph.graph('attend');
}

/** `tanh(x / cap) · cap` */
export function softcapped(graph: GraphBuilder, x: Value, cap: number): Value {
  const limit = graph.scalar(cap);
  return graph.op('Mul', [graph.op('Tanh', [graph.op('Div', [x, limit])]), limit]);
}
