import { GraphBuilder } from '../onnx/graph-builder.js';
import { softcapped } from './attention-graph.js';
import { weightInput } from './linear.js';
import { norm } from './norm.js';
import { HIDDEN_INPUT, HIDDEN_OUTPUT } from './output-graph.js';

export interface NormGraphSpec {
  readonly kind: 'norm';
  readonly hiddenSize: number;
  readonly epsilon: number;
}

/** The norm after the last block: `hidden` `[tokens, width]` to `result`. */
export function normGraph({ hiddenSize, epsilon }: NormGraphSpec): Uint8Array {
  const graph = new GraphBuilder();
  const hidden = graph.input(HIDDEN_INPUT, ['tokens', hiddenSize]);
  const normed = norm(graph, hidden, 'norm', hiddenSize, epsilon);
  graph.output(HIDDEN_OUTPUT, normed, ['tokens', hiddenSize]);
  return graph.build('norm');
}

export const HEAD_ROLE = 'head';
export const TARGETS_INPUT = 'targets';
export const LARGEST_OUTPUT = 'largest';
export const SUM_OUTPUT = 'sum';
export const TARGET_OUTPUT = 'target';
export const LOGITS_OUTPUT = 'logits';

export interface HeadGraphSpec {
  readonly kind: 'head';
  readonly hiddenSize: number;
  readonly softcap: number | undefined;
}

/** Some rows of the output layer over some tokens, reduced to what a logarithm of a softmax over all
 * rows needs: `largest` logit of these rows, `sum` of `exp(logit − largest)`, and the logit of the
 * row that `targets` names, all `[tokens, 1]`. `logits` `[tokens, rows]` are there to be looked at. */
export function headGraph({ hiddenSize, softcap }: HeadGraphSpec): Uint8Array {
  const graph = new GraphBuilder();
  const hidden = graph.input(HIDDEN_INPUT, ['tokens', hiddenSize]);
  const weight = graph.input(weightInput(HEAD_ROLE), ['rows', hiddenSize]);
  const targets = graph.input(TARGETS_INPUT, ['tokens', 1], 'int64');
  const raw = graph.op('Gemm', [hidden, weight], { transB: 1 });
  const logits = softcap === undefined ? raw : softcapped(graph, raw, softcap);
  const largest = graph.op('ReduceMax', [logits, graph.ints([1])], { keepdims: 1 });
  const powers = graph.op('Exp', [graph.op('Sub', [logits, largest])]);
  const sum = graph.op('ReduceSum', [powers, graph.ints([1])], { keepdims: 1 });
  const target = graph.op('GatherElements', [logits, targets], { axis: 1 });
  graph.output(LARGEST_OUTPUT, largest, ['tokens', 1]);
  graph.output(SUM_OUTPUT, sum, ['tokens', 1]);
  graph.output(TARGET_OUTPUT, target, ['tokens', 1]);
  graph.output(LOGITS_OUTPUT, logits, ['tokens', 'rows']);
  return graph.build('head');
}
