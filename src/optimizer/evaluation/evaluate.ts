import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import { readForwardModel } from '../../checkpoint/architectures/forward/read-forward-model.js';
import { CheckpointError } from '../../checkpoint/errors.js';
import { type Checkpoint, openCheckpoint } from '../../checkpoint/open.js';
import { expectedSpeed, weightsPerToken } from '../forward/cost.js';
import type { ForwardOptions } from '../forward/forward-pass.js';
import { Sessions } from '../forward/runtime/session.js';
import { StoredWeights } from '../forward/weights/stored-weights.js';
import { TensorFiles } from '../forward/weights/tensor-files.js';
import type { Progress } from '../progress.js';
import type { EvaluationReport } from '../report/types.js';
import type { QuantizationSettings } from '../settings/quantization-settings.js';
import { readEvaluationText } from './evaluation-text.js';
import { measurePerplexity } from './perplexity.js';
import { cutWindows, type Predictions } from './predictions.js';

/** Perplexity rose by more than was allowed, or the model is broken. */
export class EvaluationError extends Error {
  override readonly name = 'EvaluationError';
}

/** Longest windows; beyond them little changes but the time. */
const MAX_WINDOW = 2048;

/** How long one of the two measurements may be expected to take where the caller does not say how many
 * tokens it wants. */
const MAX_SECONDS = 300;

/** Tokens where the caller does not say how many: the mean of their losses is known to a hundredth or
 * two, and the difference of two models on the same tokens far better. */
const DEFAULT_TOKENS = 16_384;

/** Fewer tokens tell nothing. */
const LEAST_TOKENS = 4096;

/** A measurement of perplexity that can be made. */
export interface EvaluationPlan {
  readonly model: ForwardModel;
  readonly text: string;
  readonly window: number;
  readonly predictions: Predictions;
  readonly notes: readonly string[];
}

/** Decides what perplexity is measured on, before anything is written.
 * @param datasets local files by the name of the setting that names them.
 * @returns the reason where it cannot be measured for this model.
 * @throws TextError for a text of the caller's that cannot be used; EvaluationError if there is a limit
 * that could not be held. */
export async function planEvaluation(
  checkpoint: Checkpoint,
  settings: QuantizationSettings,
  datasets: Readonly<Record<string, string>>,
): Promise<EvaluationPlan | { readonly reason: string }> {
  const { evaluation } = settings;
  if (!evaluation.enabled) return { reason: 'OPTION_EVALUATE is false' };
  const unable = (reason: string): { readonly reason: string } => {
    if (evaluation.maxIncrease === undefined) return { reason };
    throw new EvaluationError(
      `OPTION_MAX_PERPLEXITY_INCREASE is given, but perplexity cannot be measured: ${reason}`,
    );
  };
  let model: ForwardModel;
  try {
    model = readForwardModel(checkpoint.config, checkpoint.tensors);
  } catch (error) {
    if (error instanceof CheckpointError) return unable(error.message);
    throw error;
  }
  const wanted = evaluation.tokens ?? DEFAULT_TOKENS;
  const read = await readEvaluationText(checkpoint, model, evaluation.dataset, wanted, datasets);
  if ('reason' in read) return unable(read.reason);
  const { ids, note } = limitTokens(read.ids, model, settings);
  const window = Math.min(model.maxPositions, MAX_WINDOW);
  return {
    model,
    text: read.name,
    window,
    predictions: cutWindows(ids, window),
    notes: note === undefined ? [] : [note],
  };
}

function limitTokens(
  ids: Int32Array,
  model: ForwardModel,
  { evaluation, executionProvider }: QuantizationSettings,
): { readonly ids: Int32Array; readonly note: string | undefined } {
  if (evaluation.tokens !== undefined) {
    return { ids: ids.subarray(0, evaluation.tokens), note: undefined };
  }
  const { blocks, head } = weightsPerToken(model);
  const affordable = (expectedSpeed(executionProvider) * MAX_SECONDS) / (2 * (blocks + head));
  const limit = Math.max(LEAST_TOKENS, 2 ** Math.floor(Math.log2(affordable)));
  const wanted = Math.min(ids.length, DEFAULT_TOKENS);
  return {
    ids: ids.subarray(0, Math.min(wanted, limit)),
    note:
      wanted <= limit
        ? undefined
        : `Perplexity was measured on ${limit} tokens instead of ${wanted}, which would take too long on this machine; OPTION_EVAL_TOKENS sets another number.`,
  };
}

/** Measures perplexity of the source and of the result as it stands in its folder, by the same engine.
 * @returns the reason where the source has no perplexity that is a number.
 * @throws EvaluationError if the result is worse than allowed, or broken; the signal's reason when it
 * aborts. */
export async function evaluate(
  plan: EvaluationPlan,
  source: Checkpoint,
  resultFolder: string,
  settings: QuantizationSettings,
  options: {
    readonly progress: Progress;
    readonly signal: AbortSignal;
    readonly scratchFolder: string | undefined;
  },
): Promise<EvaluationReport | { readonly reason: string }> {
  const started = performance.now();
  const { model, predictions, window, text } = plan;
  const { progress, signal } = options;
  progress.begin('evaluating', { tensors: 2 * (model.blocks.length + 1), bytes: 0 });
  const sessions = new Sessions(settings.executionProvider);
  const measure = async ({ tensors }: Checkpoint): Promise<number> => {
    const files = new TensorFiles(tensors);
    const spill = { folder: options.scratchFolder };
    const forward: ForwardOptions = { sessions, signal, spill };
    try {
      return await measurePerplexity(
        model,
        new StoredWeights(files),
        predictions,
        forward,
        (name) => progress.advance(1, 0, name),
      );
    } finally {
      await files.close();
    }
  };
  try {
    const before = await measure(source);
    if (!Number.isFinite(before)) {
      const reason = `that of the source model is ${before}`;
      if (settings.evaluation.maxIncrease === undefined) return { reason };
      throw new EvaluationError(`Perplexity cannot be compared: ${reason}`);
    }
    const after = await measure(await openCheckpoint(resultFolder, signal));
    const ratio = after / before;
    checkIncrease(before, after, settings.evaluation.maxIncrease);
    return {
      text,
      tokens: predictions.count,
      window,
      before,
      after,
      ratio,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await sessions.close();
  }
}

function checkIncrease(before: number, after: number, limit: number | undefined): void {
  if (!Number.isFinite(after)) {
    throw new EvaluationError(`the result’s perplexity is ${after}: quantization broke the model`);
  }
  if (limit !== undefined && after > before * limit) {
    throw new EvaluationError(
      `perplexity rose from ${before.toFixed(3)} to ${after.toFixed(3)}, ${(after / before).toFixed(4)} times; OPTION_MAX_PERPLEXITY_INCREASE allows ${limit}`,
    );
  }
}
