import type { ForwardModel } from '../../checkpoint/architectures/forward/forward-model.js';
import { BLOCK_STAGES, type ForwardOptions, ForwardPass } from '../forward/forward-pass.js';
import { tokenLosses } from '../forward/token-losses.js';
import type { WeightSource } from '../forward/weights/weight-source.js';
import type { Predictions } from './predictions.js';

/** Perplexity of a model on a text: `exp` of the mean negative log-likelihood of its tokens. It is
 * infinite or NaN where the model is broken.
 * @param onBlock called after every block, and once for the output layer. */
export async function measurePerplexity(
  model: ForwardModel,
  source: WeightSource,
  { windows, targets, count }: Predictions,
  options: ForwardOptions,
  onBlock: (name: string) => void,
): Promise<number> {
  const pass = await ForwardPass.begin(model, source, windows, options);
  try {
    for (const block of model.blocks) {
      for (const stage of BLOCK_STAGES) await pass.run(block, stage, source);
      onBlock(block.name);
    }
    await pass.finish(source);
    const losses = await tokenLosses(model, source, pass, targets, options);
    onBlock(model.head.module);
    return Math.exp(losses.reduce((sum, loss) => sum + loss, 0) / count);
  } finally {
    await pass.close();
  }
}
