import { MEASURED_SHARE, memoryOfGraph } from '../../optimizer/compilation/runtime-memory.js';
import type { CompiledDtype } from '../../optimizer/settings/compilation-definitions.js';
import { parseCompilationSettings } from '../../optimizer/settings/compilation-settings.js';
import { SettingsError } from '../../optimizer/settings/errors.js';
import type { EnvironmentMap } from '../../service-model/techniques.js';

/** Bytes of a weight in a graph, at the least: scales, and layers that keep their floats, come on top. */
const WEIGHT_BYTES: Readonly<Record<CompiledDtype, number>> = {
  fp32: 4,
  fp16: 2,
  int8: 1,
  int4: 0.5,
};

/** Tokens that a graph is measured with where nothing is said of evaluation, and those of the prompt and the
 * answer beside. */
const TEXT_TOKENS = 4096;
const PROMPT_TOKENS = 192;

/** What compiling takes on top of streaming the source. */
export interface CompilationNeeds {
  /** Of the process in which ONNX Runtime rewrites and measures graphs, one after the other; 0 without. */
  readonly memoryBytes: number;
  /** Multiplications and additions of the tokens that graphs are measured with. */
  readonly operations: number;
  /** Of the result, at the least, and of what it is made from. */
  readonly diskBytes: number;
}

/**
 * Estimates a compilation by its own settings.
 *
 * @param weights how many numbers the model consists of
 * @param quantized whether they are codes already, which are kept
 * @param roomBytes memory that there is for it beside streaming: a graph that does not fit is not measured
 */
export function compilationNeeds(
  environment: EnvironmentMap,
  weights: number,
  quantized: boolean,
  roomBytes: number,
): CompilationNeeds {
  const { dtype, rewritten, measured, textTokens } = readRuns(environment, quantized);
  const element = dtype === 'fp16' ? 'float16' : 'float32';
  const resultBytes = weights * WEIGHT_BYTES[dtype];
  const graphs = [
    { bytes: resultBytes, element, always: rewritten },
    // The same model as a graph in fp32, which the result is measured beside.
    { bytes: weights * WEIGHT_BYTES.fp32, element: 'float32', always: false },
  ] as const;
  const ran = graphs
    .map((graph) => ({ ...graph, memoryBytes: memoryOfGraph(graph.bytes, graph.element) }))
    .filter(
      ({ bytes, memoryBytes, always }) =>
        always || (measured && bytes < MEASURED_SHARE * roomBytes && memoryBytes <= roomBytes),
    );
  return {
    memoryBytes: Math.max(0, ...ran.map(({ memoryBytes }) => memoryBytes)),
    operations: measured ? 2 * weights * ran.length * (PROMPT_TOKENS + textTokens) : 0,
    diskBytes: resultBytes * (rewritten ? 2 : 1),
  };
}

function readRuns(environment: EnvironmentMap, quantized: boolean) {
  const unknown = quantized ? 'int4' : 'fp32';
  try {
    const settings = parseCompilationSettings(environment, new Map(), quantized);
    const { dtype = unknown, target, level, measure, evaluation } = settings;
    return {
      dtype,
      rewritten: target === 'this_machine' && level > 0,
      measured: measure,
      textTokens: evaluation.enabled ? (evaluation.tokens ?? TEXT_TOKENS) : 0,
    };
  } catch (error) {
    // Settings are checked at creation; what the model's own file adds to them is the step's matter.
    if (!(error instanceof SettingsError)) throw error;
    return { dtype: unknown, rewritten: false, measured: true, textTokens: TEXT_TOKENS } as const;
  }
}
