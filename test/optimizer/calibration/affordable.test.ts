import { describe, expect, it } from 'vitest';
import { affordableSamples } from '#burnish/optimizer/calibration/affordable.js';

const DEFAULTS = {
  samples: 512,
  sampleTokens: 2048,
  samplesGiven: false,
  sampleTokensGiven: false,
  seed: 42,
  dataset: undefined,
  threads: undefined,
};
const FAST = { perToken: 1e9, speed: 80e9, maxPositions: 8192 };
/** Half an hour for what takes a second there. */
const SLOW = { ...FAST, perToken: 1e12 };

describe('affordableSamples', () => {
  it('takes the default where there is time', () => {
    expect(affordableSamples(FAST, DEFAULTS)).toEqual({
      samples: 512,
      sampleTokens: 2048,
      notes: [],
    });
  });

  it('cuts the default down where there is not, and says from what to what', () => {
    const { samples, sampleTokens, notes } = affordableSamples(SLOW, DEFAULTS);
    expect([samples, sampleTokens]).toEqual([32, 512]);
    expect(notes.join()).toContain('from 512 samples of 2048 tokens to 32 samples of 512 tokens');
    // Twice the time is enough for the shortest samples, if not for the number of them.
    const half = affordableSamples({ ...FAST, perToken: 8e9 }, DEFAULTS);
    expect([half.samples, half.sampleTokens]).toEqual([256, 512]);
  });

  it('never changes what was given', () => {
    const given = { ...DEFAULTS, samplesGiven: true, sampleTokensGiven: true };
    expect(affordableSamples(SLOW, given)).toEqual({ samples: 512, sampleTokens: 2048, notes: [] });
    const number = affordableSamples(SLOW, { ...DEFAULTS, samplesGiven: true });
    expect([number.samples, number.sampleTokens]).toEqual([512, 512]);
    const length = affordableSamples(SLOW, { ...DEFAULTS, sampleTokensGiven: true });
    expect([length.samples, length.sampleTokens]).toEqual([32, 2048]);
  });

  it('takes no longer samples than the model, and says so if they were asked for', () => {
    const short = { ...FAST, maxPositions: 256 };
    expect(affordableSamples(short, DEFAULTS)).toMatchObject({ sampleTokens: 256, notes: [] });
    const asked = affordableSamples(short, { ...DEFAULTS, sampleTokensGiven: true });
    expect(asked.sampleTokens).toBe(256);
    expect(asked.notes).toEqual([
      'Samples have 256 tokens instead of 2048: the model takes no more.',
    ]);
  });
});
