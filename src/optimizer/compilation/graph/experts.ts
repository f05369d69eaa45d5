import type {
  ExpertsStage,
  GatedNetwork,
} from '../../../checkpoint/architectures/forward/forward-model.js';
import { NONE, type Value } from '../../forward/onnx/graph-builder.js';
import { type Matrix, type MatrixPart, matrixOf, rowsOf } from '../weights/matrix.js';
import { type CodedForm, type ModuleForm, sameForm } from '../weights/module-form.js';
import { expertShapes } from '../weights/weight-collector.js';
import type { DecoderContext } from './decoder-context.js';
import { feedForward } from './feed-forward.js';
import { linear } from './linear.js';
import { outputsOf } from './outputs.js';

/** A mixture of experts: `x` `[tokens, width]` to the same. ONNX Runtime has one operator for those of the
 * kind `silu(gate) · up`, which looks only at the experts that are chosen; in others every expert
 * answers, and those that are not chosen count for nothing.
 * @param name of the block. */
export function experts(
  context: DecoderContext,
  stage: ExpertsStage,
  x: Value,
  name: string,
): Value {
  const { graph, model } = context;
  const routing = [{ module: stage.router, first: 0, rows: stage.experts.length }];
  const scores = linear(context, x, stage.router, routing, model.hiddenSize);
  const own = stage.experts.every(({ activation }) => activation === 'silu')
    ? mixture(context, stage, x, scores, name)
    : everyExpert(context, stage, x, scores);
  if (stage.shared === undefined) return own;
  const { network, gate } = stage.shared;
  const share = linear(context, x, gate, [{ module: gate, first: 0, rows: 1 }], model.hiddenSize);
  const shared = graph.op('Mul', [feedForward(context, network, x), graph.op('Sigmoid', [share])]);
  return graph.op('Add', [own, shared]);
}

/** What ONNX Runtime's operators for experts take, but for the weights' form. */
interface Mixture {
  readonly stage: ExpertsStage;
  readonly x: Value;
  readonly scores: Value;
  /** What tensors of the experts' weights are named after. */
  readonly name: string;
  /** Gate and up projections of all experts, one expert after the other. */
  readonly inputs: Matrix;
  /** Their output projections. */
  readonly outputs: Matrix;
}

function mixture(
  context: DecoderContext,
  stage: ExpertsStage,
  x: Value,
  scores: Value,
  block: string,
): Value {
  const { hiddenSize } = context.model;
  const [first] = stage.experts;
  if (first === undefined) throw new Error(`${block} has no experts`);
  const width = outputsOf(first.inputs, 'gate').rows;
  const outputs = stage.experts.map(({ output }) => rowsOf(output, 0, hiddenSize));
  const parts: Mixture = {
    ...{ stage, x, scores },
    name: `${block}.experts`,
    inputs: matrixOf(hiddenSize, stage.experts.map(gateAndUp)),
    outputs: matrixOf(width, outputs),
  };
  const form = commonForm(stage.experts, context.formOf);
  return form.kind === 'float' ? floatMixture(context, parts) : codedMixture(context, parts, form);
}

function floatMixture(
  { graph, weights, element }: DecoderContext,
  { stage, x, scores, name, inputs, outputs }: Mixture,
): Value {
  const count = stage.experts.length;
  const table = (role: string, matrix: Matrix): Value =>
    weights.matrix(`${name}.${role}`, matrix, element, [
      count,
      matrix.rows / count,
      matrix.columns,
    ]);
  const given = [x, scores, table('inputs', inputs), NONE, table('outputs', outputs)];
  const [mixed = NONE] = graph.fused('MoE', given, 1, mixtureAttributes(stage, stage.normalized));
  return mixed;
}

function codedMixture(
  context: DecoderContext,
  { stage, x, scores, name, inputs, outputs }: Mixture,
  coded: CodedForm,
): Value {
  const { graph, weights, element } = context;
  const { form } = coded;
  const codes = (role: string, matrix: Matrix) => {
    const shapes = expertShapes(stage.experts.length, matrix, form);
    return weights.codes(`${name}.${role}`, matrix, coded, element, shapes);
  };
  const inward = codes('inputs', inputs);
  const outward = codes('outputs', outputs);
  const zeroPoints = [inward.zeroPoints, outward.zeroPoints].flatMap((value) =>
    value === undefined ? [] : [value],
  );
  const given = [
    ...[x, scores, inward.codes, inward.scales, NONE, outward.codes, outward.scales],
    ...(zeroPoints.length === 0 ? [] : [NONE, NONE, NONE, NONE, ...zeroPoints]),
  ];
  const [mixed = NONE] = graph.fused('QMoE', given, 1, {
    ...mixtureAttributes(stage, true),
    expert_weight_bits: form.bits,
    block_size: form.blockSize,
  });
  return stage.normalized ? mixed : graph.op('Mul', [mixed, shareOfChosen(context, stage, scores)]);
}

function mixtureAttributes({ chosen }: ExpertsStage, normalized: boolean) {
  return {
    k: chosen,
    normalize_routing_weights: normalized ? 1 : 0,
    activation_type: 'swiglu',
    // Rows of gate and up projection take turns.
    swiglu_fusion: 1,
    activation_alpha: { float: 1 },
    activation_beta: { float: 0 },
  };
}

/** The chosen experts' part of all shares, `[tokens, 1]`: QMoE makes their shares add up to one, whatever it
 * is told. */
function shareOfChosen({ graph }: DecoderContext, { chosen }: ExpertsStage, scores: Value): Value {
  const [largest = NONE] = graph.ops('TopK', [softmax(graph, scores), graph.ints([chosen])], 2, {
    axis: -1,
  });
  return graph.op('ReduceSum', [largest, graph.ints([-1])], { keepdims: 1 });
}

function softmax(graph: DecoderContext['graph'], scores: Value): Value {
  return graph.op('Softmax', [scores], { axis: -1 });
}

/** The form of all experts' weights; floats where they differ. */
function commonForm(
  networks: readonly GatedNetwork[],
  formOf: DecoderContext['formOf'],
): ModuleForm {
  const forms = networks.flatMap(({ inputs, output }) => [
    ...inputs.map(({ module }) => formOf(module)),
    formOf(output),
  ]);
  const [first] = forms;
  return first !== undefined && forms.every((form) => sameForm(first, form))
    ? first
    : { kind: 'float' };
}

/** The rows of an expert's gate and up projection by turns. */
function gateAndUp({ inputs }: GatedNetwork): MatrixPart {
  const gate = outputsOf(inputs, 'gate');
  return { modules: [gate, outputsOf(inputs, 'up')], rows: gate.rows };
}

function everyExpert(context: DecoderContext, stage: ExpertsStage, x: Value, scores: Value): Value {
  const { graph } = context;
  const all = softmax(graph, scores);
  const [shares = NONE, chosen = NONE] = graph.ops('TopK', [all, graph.ints([stage.chosen])], 2, {
    axis: -1,
  });
  const counted = stage.normalized
    ? graph.op('Div', [shares, graph.op('ReduceSum', [shares, graph.ints([-1])], { keepdims: 1 })])
    : shares;
  const none = graph.op('Sub', [all, all]);
  const weights = graph.op('ScatterElements', [none, chosen, counted], { axis: -1 });
  return stage.experts
    .map((network, index) => {
      const share = graph.op('Slice', [
        weights,
        graph.ints([index]),
        graph.ints([index + 1]),
        graph.ints([-1]),
      ]);
      return graph.op('Mul', [feedForward(context, network, x), share]);
    })
    .reduce((sum, output) => graph.op('Add', [sum, output]));
}
