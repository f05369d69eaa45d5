import type { Rotary } from '../../../checkpoint/architectures/forward/forward-model.js';
import { NONE, type Value } from '../../forward/onnx/graph-builder.js';
import { ELEMENT_TYPES } from '../../forward/onnx/model.js';
import type { DecoderContext } from './decoder-context.js';

/** GroupQueryAttention rotates heads itself if their sizes are multiples of these. */
const FUSED_HEAD_UNIT = 16;
const FUSED_TABLE_UNIT = 8;

/** The tables of a rotary embedding in the graph. */
export interface Rotation {
  readonly cos: Value;
  readonly sin: Value;
  /** Whether GroupQueryAttention can look positions up in them. */
  readonly fused: boolean;
  /** Length from which on the rows are further down, after those for shorter sequences. */
  readonly switchesBeyond: number | undefined;
}

/** Puts the tables of a rotary embedding into the graph. Those of long sequences differ with `longrope`;
 * then both are there, one after the other. */
export function rotationTables(
  { weights, element, positions }: DecoderContext,
  rotary: Rotary,
  headSize: number,
): Rotation {
  const { kind, dimensions, originalMaxPositions } = rotary;
  const switchesBeyond =
    kind === 'longrope' && positions > originalMaxPositions ? originalMaxPositions : undefined;
  const tables =
    switchesBeyond === undefined
      ? [{ rows: positions, positions }]
      : [switchesBeyond, positions].map((rows) => ({ rows, positions: rows }));
  const key = JSON.stringify(rotary);
  const table = (turn: 'cos' | 'sin'): Value =>
    weights.rotation(`rotary.${turn}.${digest(key)}`, turn, rotary, tables, element);
  return {
    cos: table('cos'),
    sin: table('sin'),
    fused:
      switchesBeyond === undefined &&
      headSize % FUSED_HEAD_UNIT === 0 &&
      (dimensions / 2) % FUSED_TABLE_UNIT === 0,
    switchesBeyond,
  };
}

/** A short name for a long key, the same in every build. FNV-1a, 32 bits. */
function digest(key: string): string {
  let hash = 0x811c9dc5;
  for (const character of key) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}

/** Rotates heads outside of attention: `x` `[sequences, positions, heads · size]`. */
export function rotate(
  context: DecoderContext,
  x: Value,
  rotation: Rotation,
  sizes: { readonly heads: number; readonly headSize: number; readonly dimensions: number },
): Value {
  const { graph, inputs } = context;
  const { heads, headSize, dimensions } = sizes;
  const partial = dimensions < headSize;
  const positions =
    rotation.switchesBeyond === undefined
      ? inputs.positions()
      : graph.op('Add', [inputs.positions(), rowsBefore(context, rotation.switchesBeyond)]);
  const [rotated = NONE] = graph.fused(
    'RotaryEmbedding',
    [x, positions, rotation.cos, rotation.sin],
    1,
    {
      num_heads: partial ? heads : 0,
      rotary_embedding_dim: partial ? dimensions : 0,
      interleaved: 0,
    },
  );
  return rotated;
}

/** The rows to skip: those of the table for short sequences, where the longest is longer. */
function rowsBefore({ graph, inputs }: DecoderContext, limit: number): Value {
  const total = graph.op('Cast', [inputs.total], { to: ELEMENT_TYPES.int64 });
  const longer = graph.op('Greater', [total, graph.integer(limit)]);
  return graph.op('Mul', [
    graph.op('Cast', [longer], { to: ELEMENT_TYPES.int64 }),
    graph.integer(limit),
  ]);
}
