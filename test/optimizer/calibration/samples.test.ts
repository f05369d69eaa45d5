import { describe, expect, it } from 'vitest';
import type { Tokenizer } from '#burnish/checkpoint/tokenizer/tokenizer.js';
import { chooseSamples } from '#burnish/optimizer/calibration/samples.js';
import type { TextSource } from '#burnish/optimizer/texts/read-text.js';

/** One token for every character, and 1 in front where special tokens are asked for. */
const tokenizer: Tokenizer = {
  config: {},
  encode: (text, specialTokens) =>
    Int32Array.from([
      ...(specialTokens ? [1] : []),
      ...Array.from(text, (character) => character.charCodeAt(0)),
    ]),
};

const running = (text: string): TextSource => ({ kind: 'running', text });
const lists = (samples: readonly Int32Array[]) => samples.map((sample) => [...sample]);
const text = Array.from({ length: 1000 }, (_, index) =>
  String.fromCharCode(100 + (index % 900)),
).join('');

describe('chooseSamples', () => {
  it('takes all whole windows where fewer are there than wanted', () => {
    const samples = chooseSamples(running('abcdefg'), tokenizer, {
      samples: 5,
      sampleTokens: 3,
      seed: 1,
    });
    expect(lists(samples)).toEqual([
      [97, 98, 99],
      [100, 101, 102],
    ]);
  });

  it('takes a text that is shorter than one window whole', () => {
    const samples = chooseSamples(running('ab'), tokenizer, {
      samples: 5,
      sampleTokens: 3,
      seed: 1,
    });
    expect(lists(samples)).toEqual([[97, 98]]);
  });

  it('depends on nothing but text and seed', () => {
    const request = { samples: 10, sampleTokens: 20, seed: 7 };
    const first = lists(chooseSamples(running(text), tokenizer, request));
    expect(first).toHaveLength(10);
    expect(new Set(first.map(([id]) => id)).size).toBe(10);
    expect(lists(chooseSamples(running(text), tokenizer, request))).toEqual(first);
    expect(lists(chooseSamples(running(text), tokenizer, { ...request, seed: 8 }))).not.toEqual(
      first,
    );
  });

  it('cuts samples to length, adds special tokens unless a template did, longest first', () => {
    const source: TextSource = {
      kind: 'samples',
      samples: [
        { text: 'a', templated: false },
        { text: '', templated: true },
        { text: 'abcdef', templated: false },
        { text: 'xy', templated: true },
      ],
    };
    expect(
      lists(chooseSamples(source, tokenizer, { samples: 9, sampleTokens: 4, seed: 1 })),
    ).toEqual([
      [1, 97, 98, 99],
      [1, 97],
      [120, 121],
    ]);
  });

  it('refuses a text without tokens', () => {
    const source: TextSource = { kind: 'samples', samples: [{ text: '', templated: true }] };
    expect(() =>
      chooseSamples(source, tokenizer, { samples: 1, sampleTokens: 4, seed: 1 }),
    ).toThrow('has no tokens');
  });
});
