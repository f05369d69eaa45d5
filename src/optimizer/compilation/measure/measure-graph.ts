import { CachedDecoder, mostLikely } from './cached-decoder.js';
import type { Measurements, MeasureTask } from './graph-task.js';

/** Tokens of a text that are read at a time: their logits are in memory together. */
const READ_TOKENS = 128;

/** Generation is measured no longer than this; a large model's few tokens tell as much. */
const MAX_GENERATION_SECONDS = 30;

/** Tokens that are read before the clock starts, so that buffers are there and threads awake. */
const WARM_UP_TOKENS = 8;

/** Measures one graph on this machine's processors: load time, speed with one sequence, and perplexity. */
export async function measureGraph(task: MeasureTask): Promise<Measurements> {
  const started = performance.now();
  const decoder = await CachedDecoder.open(task.path, task.level, task.cache);
  const loadSeconds = secondsSince(started);
  try {
    await decoder.read(task.prompt.slice(0, WARM_UP_TOKENS));
    await decoder.read(task.prompt.slice(0, 1));
    decoder.restart();
    const prompted = performance.now();
    let token = mostLikely(await decoder.read(task.prompt), task.vocabulary);
    const firstTokenSeconds = secondsSince(prompted);
    const generated = performance.now();
    let count = 0;
    while (count < task.generate && secondsSince(generated) < MAX_GENERATION_SECONDS) {
      token = mostLikely(await decoder.read([token]), task.vocabulary);
      count += 1;
    }
    const generationTokensPerSecond = count / secondsSince(generated);
    return {
      loadSeconds,
      firstTokenSeconds,
      promptTokensPerSecond: task.prompt.length / firstTokenSeconds,
      generationTokensPerSecond,
      perplexity: task.windows.length === 0 ? null : await measurePerplexity(decoder, task),
      // Node gives it in kilobytes.
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  } finally {
    await decoder.close();
  }
}

function secondsSince(moment: number): number {
  return (performance.now() - moment) / 1000;
}

/** `exp` of the mean negative log-likelihood of every token of each window but its first. */
async function measurePerplexity(
  decoder: CachedDecoder,
  { windows, vocabulary }: MeasureTask,
): Promise<number> {
  let sum = 0;
  let count = 0;
  for (const window of windows) {
    decoder.restart();
    for (let first = 0; first < window.length; first += READ_TOKENS) {
      const ids = window.slice(first, first + READ_TOKENS);
      const logits = await decoder.read(ids);
      for (const index of ids.keys()) {
        const target = window[first + index + 1];
        if (target === undefined) break;
        sum += loss(logits.subarray(index * vocabulary, (index + 1) * vocabulary), target);
        count += 1;
      }
    }
  }
  return Math.exp(sum / count);
}

/** The negative logarithm of the probability that logits give a token. */
function loss(logits: Float32Array, target: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > largest) largest = logit;
  let total = 0;
  for (const logit of logits) total += Math.exp(logit - largest);
  return largest + Math.log(total) - (logits[target] ?? Number.NaN);
}
