import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import type { Checkpoint } from '../../checkpoint/open.js';
import {
  hasTokenizer,
  readTokenizer,
  TOKENIZER_FILE,
} from '../../checkpoint/tokenizer/tokenizer.js';
import { HELD_OUT_TEXT } from '../texts/bundled.js';
import { readChatTemplate } from '../texts/chat-template.js';
import { TextError } from '../texts/errors.js';
import { readTextSource } from '../texts/read-text.js';

/** Text that is tokenized for each token that is wanted: a generous guess, in characters. */
const CHARACTERS_PER_TOKEN = 16;

/** The tokens of the text that perplexity is measured on: the caller's, or the bundled one.
 * @param dataset as the caller named it.
 * @param wanted tokens; there may come more.
 * @param datasets local files by the name of the setting that names them.
 * @returns the reason where this model has no tokens for a text.
 * @throws TextError for a text of the caller's that cannot be used. */
export async function readEvaluationText(
  checkpoint: Checkpoint,
  { vocabulary }: ForwardModel,
  dataset: string | undefined,
  wanted: number,
  datasets: Readonly<Record<string, string>>,
): Promise<{ readonly ids: Int32Array; readonly name: string } | { readonly reason: string }> {
  if (!hasTokenizer(checkpoint.files)) return { reason: `the model has no ${TOKENIZER_FILE}` };
  const tokenizer = await readTokenizer(checkpoint.files);
  const path = dataset === undefined ? HELD_OUT_TEXT.path : datasets.OPTION_EVAL_DATASET;
  if (path === undefined) {
    throw new TextError(`OPTION_EVAL_DATASET, ${dataset}, was not staged`);
  }
  const template = await readChatTemplate(checkpoint.files, tokenizer.config);
  const source = await readTextSource(path, template);
  const whole =
    source.kind === 'running' ? source.text : source.samples.map(({ text }) => text).join('\n\n');
  const ids = tokenizer.encode(whole.slice(0, wanted * CHARACTERS_PER_TOKEN), false);
  if (ids.some((id) => id >= vocabulary)) {
    return { reason: `${TOKENIZER_FILE} has tokens that the model’s embedding lacks` };
  }
  if (ids.length < 2) throw new TextError('the text to measure perplexity on is too short');
  return { ids, name: dataset ?? HELD_OUT_TEXT.name };
}
