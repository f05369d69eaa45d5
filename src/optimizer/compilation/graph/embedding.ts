import { NONE, type Value } from '../../forward/onnx/graph-builder.js';
import { blocksOf } from '../weights/code-form.js';
import { type Matrix, matrixOf, rowsOf } from '../weights/matrix.js';
import { type ModuleForm, sameForm } from '../weights/module-form.js';
import { tableShapes } from '../weights/weight-collector.js';
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

/** Looks rows up in a table of codes. Where the output layer is the same weight in the same form, both read
 * the same bytes. */
function gatherCodes(
  { graph, weights, model, element, formOf }: DecoderContext,
  matrix: Matrix,
  own: Extract<ModuleForm, { readonly kind: 'codes' }>,
  ids: Value,
): Value {
  const { form, kept } = own;
  const { module } = model.embedding;
  const shared = model.head.module === module && sameForm(own, formOf(module));
  const name = shared ? module : `${module}.table`;
  const shapes = shared ? undefined : tableShapes(matrix, form);
  const { codes, scales, zeroPoints } = weights.codes(name, matrix, form, kept, element, shapes);
  const table = shared ? weights.codeRows(name) : codes;
  const [found = NONE] = graph.fused(
    'GatherBlockQuantized',
    [table, ids, scales, ...(zeroPoints === undefined ? [] : [zeroPoints])],
    1,
    { bits: form.bits, block_size: form.blockSize, gather_axis: 0, quantize_axis: 1 },
  );
  const stored = blocksOf(form, matrix.columns) * form.blockSize;
  const flat = graph.op('Reshape', [found, graph.ints([-1, stored])]);
  if (stored === matrix.columns) return flat;
  // The last block of a row is filled up.
  return graph.op('Slice', [flat, graph.ints([0]), graph.ints([matrix.columns]), graph.ints([-1])]);
}
