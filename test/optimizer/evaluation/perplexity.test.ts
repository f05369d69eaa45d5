import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readForwardModel } from '#burnish/checkpoint/architectures/forward/read-forward-model.js';
import { openCheckpoint } from '#burnish/checkpoint/open.js';
import { readTokenizer } from '#burnish/checkpoint/tokenizer/tokenizer.js';
import { measurePerplexity } from '#burnish/optimizer/evaluation/perplexity.js';
import { cutWindows } from '#burnish/optimizer/evaluation/predictions.js';
import { Sessions } from '#burnish/optimizer/forward/runtime/session.js';
import { StoredWeights } from '#burnish/optimizer/forward/weights/stored-weights.js';
import { TensorFiles } from '#burnish/optimizer/forward/weights/tensor-files.js';

const FIXTURE = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));
const HELD_OUT = fileURLToPath(
  new URL('../../../fixtures/shakespeare-llama-heldout.txt', import.meta.url),
);

describe('perplexity', () => {
  it('of the bundled model on its held-out text is what two other forward passes found', async () => {
    const checkpoint = await openCheckpoint(FIXTURE);
    const tokenizer = await readTokenizer(checkpoint.files);
    const ids = tokenizer.encode(await readFile(HELD_OUT, 'utf8'), false);
    expect(ids).toHaveLength(49_426);
    const files = new TensorFiles(checkpoint.tensors);
    const sessions = new Sessions();
    const blocks: string[] = [];
    const perplexity = await measurePerplexity(
      readForwardModel(checkpoint.config, checkpoint.tensors),
      new StoredWeights(files),
      cutWindows(ids, 256),
      { sessions, signal: new AbortController().signal },
      (name) => blocks.push(name),
    );
    expect(perplexity).toBeCloseTo(26.45, 2);
    expect(blocks).toEqual([0, 1, 2, 3].map((n) => `model.layers.${n}`).concat('lm_head'));
    await sessions.close();
    await files.close();
  }, 300_000);
});
