import type { CompiledDtype, CompiledLayout } from '../../settings/compilation-definitions.js';

/** Names of the files of a compiled model, from the result's folder. */
export interface CompiledFiles {
  readonly graph: string;
  readonly weights: string;
}

/** What Transformers.js puts behind a model's name for each type of weights. */
const SUFFIXES: Readonly<Record<CompiledDtype, string>> = {
  fp32: '',
  fp16: '_fp16',
  int8: '_int8',
  int4: '_q4',
};

/** Where a layout has the graph and its weights. */
export function compiledFiles(layout: CompiledLayout, dtype: CompiledDtype): CompiledFiles {
  if (layout === 'genai') return { graph: 'model.onnx', weights: 'model.onnx.data' };
  const graph = `onnx/model${SUFFIXES[dtype]}.onnx`;
  return { graph, weights: `${graph}_data` };
}

/** What Transformers.js calls the types of weights. */
export const TRANSFORMERS_JS_DTYPES: Readonly<Record<CompiledDtype, string>> = {
  fp32: 'fp32',
  fp16: 'fp16',
  int8: 'int8',
  int4: 'q4',
};
