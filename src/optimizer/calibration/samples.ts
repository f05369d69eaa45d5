import type { Tokenizer } from '../../checkpoint/tokenizer/tokenizer.js';
import { seededRandom } from '../seeded-random.js';
import { TextError } from '../texts/errors.js';
import type { TextSource } from '../texts/read-text.js';

/** Characters of running text that are tokenized for each token that is wanted: twice what is needed of
 * most text. */
const CHARACTERS_PER_TOKEN = 8;

export interface SampleRequest {
  readonly samples: number;
  readonly sampleTokens: number;
  readonly seed: number;
}

/** Chooses calibration samples: windows of running text, or whole samples cut to length, in an order that
 * depends on nothing but the text and the seed. Samples of equal length lie beside each other, longest
 * first.
 * @returns as many as were asked for, or all there are.
 * @throws TextError if there is none. */
export function chooseSamples(
  source: TextSource,
  tokenizer: Tokenizer,
  { samples, sampleTokens, seed }: SampleRequest,
): readonly Int32Array[] {
  const candidates =
    source.kind === 'running'
      ? windowsOf(
          tokenizer.encode(
            source.text.slice(0, samples * sampleTokens * CHARACTERS_PER_TOKEN),
            false,
          ),
          sampleTokens,
        )
      : pick(source.samples, samples, seed).map(({ text, templated }) =>
          tokenizer
            .encode(text.slice(0, sampleTokens * CHARACTERS_PER_TOKEN * 4), !templated)
            .subarray(0, sampleTokens),
        );
  const chosen = pick(
    candidates.filter(({ length }) => length > 0),
    samples,
    seed,
  );
  if (chosen.length === 0) throw new TextError('the text to calibrate with has no tokens');
  return [...chosen].sort((a, b) => b.length - a.length);
}

/** Whole windows; a text that is shorter than one is one. */
function windowsOf(ids: Int32Array, length: number): readonly Int32Array[] {
  if (ids.length < length) return [ids];
  return Array.from({ length: Math.floor(ids.length / length) }, (_, index) =>
    ids.subarray(index * length, (index + 1) * length),
  );
}

/** Draws items without replacement (the beginning of a Fisher–Yates shuffle), and leaves the drawn ones
 * in their order. */
function pick<Item>(items: readonly Item[], count: number, seed: number): readonly Item[] {
  if (items.length <= count) return items;
  const random = seededRandom(seed);
  const order = Array.from(items.keys());
  for (let index = 0; index < count; index += 1) {
    const other = index + Math.floor(random() * (order.length - index));
    const drawn = order[other] ?? 0;
    order[other] = order[index] ?? 0;
    order[index] = drawn;
  }
  return order
    .slice(0, count)
    .sort((a, b) => a - b)
    .flatMap((index) => {
      const item = items[index];
      return item === undefined ? [] : [item];
    });
}
