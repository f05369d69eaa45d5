import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { largestDifference, modelStates } from '../../support/model-states.js';

const MODEL = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));
const IDS = Array.from({ length: 300 }, (_, index) => (index * 97 + 5) % 1024);

describe('attention in tiles of queries', () => {
  it.each([1, 100, 128, 129, 256])(
    'gives the first %i of 300 positions what they get alone',
    async (length) => {
      const whole = await modelStates(MODEL, [IDS]);
      const alone = await modelStates(MODEL, [IDS.slice(0, length)]);
      expect(
        largestDifference(whole.logits.slice(0, alone.logits.length), alone.logits),
      ).toBeLessThan(1e-4);
    },
  );

  it('takes several sequences at a time', async () => {
    const first = IDS.slice(0, 150);
    const second = IDS.slice(150);
    const together = await modelStates(MODEL, [first, second]);
    const alone = await modelStates(MODEL, [second]);
    expect(
      largestDifference(together.logits.slice(alone.logits.length), alone.logits),
    ).toBeLessThan(1e-4);
  });
});
