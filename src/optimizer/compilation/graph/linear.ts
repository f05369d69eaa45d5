import { NONE, type Value } from '../../forward/onnx/graph-builder.js';
import { matrixOf, rowsOf } from '../weights/matrix.js';
import { sameForm } from '../weights/module-form.js';
import type { VectorPart } from '../weights/weight-collector.js';
import type { DecoderContext } from './decoder-context.js';
import type { Outputs } from './outputs.js';

/** Whether outputs of several modules can come from one multiplication. */
export function canJoin(
  { formOf, has, fuse }: DecoderContext,
  outputs: readonly Outputs[],
): boolean {
  const [first, ...rest] = outputs;
  if (first === undefined) return false;
  return (
    fuse &&
    rest.every(
      ({ module }) =>
        sameForm(formOf(first.module), formOf(module)) &&
        has(`${first.module}.bias`) === has(`${module}.bias`),
    )
  );
}

/** `x · Wᵀ + b` for `x` `[tokens, columns]`, where W has the named rows of modules that can be joined. With
 * codes there may be more dimensions before the last.
 * @param name of the weight in the graph. */
export function linear(
  context: DecoderContext,
  x: Value,
  name: string,
  outputs: readonly Outputs[],
  columns: number,
): Value {
  const { graph, weights, element, formOf, has, accuracyLevel } = context;
  const [first] = outputs;
  if (first === undefined) throw new Error(`${name} has no outputs`);
  const matrix = matrixOf(
    columns,
    outputs.map(({ module, first: row, rows }) => rowsOf(module, row, rows)),
  );
  const bias = has(`${first.module}.bias`)
    ? weights.vector(`${name}.bias`, biasesOf(outputs), element)
    : undefined;
  const own = formOf(first.module);
  if (own.kind === 'float') {
    const inputs = [x, weights.matrix(`${name}.weight`, matrix, element)];
    if (bias !== undefined) inputs.push(bias);
    return graph.op('Gemm', inputs, { transB: 1 });
  }
  const { form, order } = own;
  const input =
    order === undefined
      ? x
      : graph.op('Gather', [x, weights.indices(`${name}.order`, order)], { axis: -1 });
  const { codes, scales, zeroPoints } = weights.codes(name, matrix, own, element);
  const [product = NONE] = graph.fused(
    'MatMulNBits',
    [input, codes, scales, ...(zeroPoints === undefined ? [] : [zeroPoints])],
    1,
    {
      K: columns,
      N: matrix.rows,
      bits: form.bits,
      block_size: form.blockSize,
      accuracy_level: accuracyLevel,
    },
  );
  return bias === undefined ? product : graph.op('Add', [product, bias]);
}

function biasesOf(outputs: readonly Outputs[]): readonly VectorPart[] {
  return outputs.map(({ module, first, rows }) => ({ name: `${module}.bias`, first, count: rows }));
}
