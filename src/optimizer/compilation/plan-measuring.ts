import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import type { Checkpoint } from '../../checkpoint/open.js';
import { readEvaluationText } from '../evaluation/evaluation-text.js';
import { expectedSpeed, weightsPerToken } from '../forward/cost.js';
import { seededRandom } from '../seeded-random.js';
import type { CompilationSettings } from '../settings/compilation-settings.js';

/** What a graph is measured with. */
export interface MeasuringPlan {
  readonly prompt: readonly number[];
  readonly generate: number;
  /** Windows of a text for perplexity. */
  readonly windows: readonly (readonly number[])[];
  readonly text: string | null;
  readonly notes: readonly string[];
}

const PROMPT_TOKENS = 128;
const GENERATED_TOKENS = 64;

/** Longer windows change perplexity little and the time much. */
const MAX_WINDOW = 512;

/** Tokens where the caller does not say how many, and the fewest that tell anything. */
const DEFAULT_TOKENS = 4096;
const LEAST_TOKENS = 512;

/** How long reading the text through one graph may be expected to take. */
const MAX_SECONDS = 60;

/** Where the prompt comes from if the model has no tokenizer. */
const PROMPT_SEED = 1;

/** Decides what a graph is measured with, before anything is written.
 * @throws TextError for a text of the caller's that cannot be used. */
export async function planMeasuring(
  checkpoint: Checkpoint,
  model: ForwardModel,
  positions: number,
  settings: CompilationSettings,
  datasets: Readonly<Record<string, string>>,
): Promise<MeasuringPlan> {
  const promptTokens = Math.min(PROMPT_TOKENS, Math.floor(positions / 2));
  const generate = Math.min(GENERATED_TOKENS, positions - promptTokens);
  const { evaluation } = settings;
  const wanted = evaluation.tokens ?? affordableTokens(model);
  const read = await readEvaluationText(checkpoint, model, evaluation.dataset, wanted, datasets);
  if ('reason' in read) {
    const next = seededRandom(PROMPT_SEED);
    const prompt = Array.from({ length: promptTokens }, () =>
      Math.floor(next() * model.vocabulary),
    );
    const notes = evaluation.enabled ? [`Perplexity was not measured: ${read.reason}.`] : [];
    return { prompt, generate, windows: [], text: null, notes };
  }
  const prompt = [...read.ids.subarray(0, promptTokens)];
  if (!evaluation.enabled) {
    const notes = ['Perplexity was not measured: OPTION_EVALUATE is false.'];
    return { prompt, generate, windows: [], text: null, notes };
  }
  const windows: (readonly number[])[] = [];
  const ids = read.ids.subarray(0, wanted);
  const size = Math.min(MAX_WINDOW, positions);
  for (let first = 0; first < ids.length; first += size) {
    const window = ids.subarray(first, first + size);
    if (window.length > 1) windows.push([...window]);
  }
  return { prompt, generate, windows, text: read.name, notes: [] };
}

function affordableTokens(model: ForwardModel): number {
  const { blocks, head } = weightsPerToken(model);
  const affordable = (expectedSpeed('cpu') * MAX_SECONDS) / (2 * (blocks + head));
  return Math.min(DEFAULT_TOKENS, Math.max(LEAST_TOKENS, 2 ** Math.floor(Math.log2(affordable))));
}
