import { blocksOf, type CodeForm, middleCode } from '../../../kernels/index.js';
import type { Value } from '../../forward/onnx/graph-builder.js';
import { ELEMENT_TYPES } from '../../forward/onnx/model.js';
import { type Matrix, matrixOf, rowsOf } from '../weights/matrix.js';
import { type CodedForm, sameForm } from '../weights/module-form.js';
import { cast, type DecoderContext } from './decoder-context.js';

/** The embeddings of tokens, `[tokens, width]`, in the type of the residual stream. */
export function embed(context: DecoderContext, ids: Value): Value {
  const { graph, model, element, stream, embedding } = context;
  const { module, scale } = model.embedding;
  const matrix = matrixOf(model.hiddenSize, [rowsOf(module, 0, model.vocabulary)]);
  const flat =
    embedding.kind === 'float'
      ? gatherFloats(context, matrix, ids)
      : gatherCodes(context, matrix, embedding, ids);
  const wide = cast(context, flat, element, stream);
  return scale === 1 ? wide : graph.op('Mul', [wide, graph.scalar(scale)]);
}

function gatherFloats(
  { graph, weights, model, element }: DecoderContext,
  matrix: Matrix,
  ids: Value,
): Value {
  const table = weights.matrix(`${model.embedding.module}.weight`, matrix, element);
  const found = graph.op('Gather', [table, ids], { axis: 0 });
  return graph.op('Reshape', [found, graph.ints([-1, matrix.columns])]);
}

/** Looks rows up in a table of codes and decodes them, in f32. Where the output layer is the same weight in
 * the same form, its codes are the table. ONNX's own operators do it, since ONNX Runtime's one operator for
 * all of this is missing from the WebAssembly that browsers load. */
function gatherCodes(
  { graph, weights, model, element, formOf }: DecoderContext,
  matrix: Matrix,
  own: CodedForm,
  ids: Value,
): Value {
  const { form } = own;
  const { module } = model.embedding;
  const shared = model.head.module === module && sameForm(own, formOf(module));
  const name = shared ? module : `${module}.table`;
  const { codes, scales, zeroPoints } = weights.codes(name, matrix, own, element);
  const blocks = blocksOf(form, matrix.columns);
  const rowsOfTable = (table: Value): Value => graph.op('Gather', [table, ids], { axis: 0 });
  const perBlock = graph.ints([-1, blocks, 1]);
  const numbers = graph.op('Reshape', [
    unpack(graph, rowsOfTable(codes), form),
    graph.ints([-1, blocks, form.blockSize]),
  ]);
  const zero =
    zeroPoints === undefined
      ? graph.scalar(middleCode(form))
      : graph.op('Reshape', [
          firstColumns(graph, unpack(graph, rowsOfTable(zeroPoints), form), blocks),
          perBlock,
        ]);
  const scale = graph.op('Reshape', [rowsOfTable(scales), perBlock]);
  const values = graph.op('Mul', [graph.op('Sub', [numbers, zero]), scale]);
  const stored = blocks * form.blockSize;
  const flat = graph.op('Reshape', [values, graph.ints([-1, stored])]);
  // The last block of a row is filled up.
  return stored === matrix.columns ? flat : firstColumns(graph, flat, matrix.columns);
}

/** Unsigned numbers out of bytes, as f32: one of eight bits in each, or two of four, the lower bits first;
 * then `[…, 2 · bytes]`. */
function unpack(graph: DecoderContext['graph'], bytes: Value, { bits }: CodeForm): Value {
  const whole = graph.op('Cast', [bytes], { to: ELEMENT_TYPES.float32 });
  if (bits === 8) return whole;
  const base = graph.scalar(16);
  const high = graph.op('Floor', [graph.op('Div', [whole, base])]);
  const low = graph.op('Sub', [whole, graph.op('Mul', [high, base])]);
  const last = graph.ints([-1]);
  const pairs = [low, high].map((half) => graph.op('Unsqueeze', [half, last]));
  // A dimension of 0 stays what it was.
  return graph.op('Reshape', [graph.op('Concat', pairs, { axis: -1 }), graph.ints([0, 0, -1])]);
}

function firstColumns(graph: DecoderContext['graph'], x: Value, count: number): Value {
  return graph.op('Slice', [x, graph.ints([0]), graph.ints([count]), graph.ints([-1])]);
}
