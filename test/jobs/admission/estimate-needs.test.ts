import { describe, expect, it } from 'vitest';
import { estimateNeeds } from '#burnish/jobs/admission/estimate-needs.js';
import type { SourceMeasure } from '#burnish/jobs/admission/measure-source.js';
import { whyNever } from '#burnish/jobs/admission/why-never.js';
import type { Step } from '#burnish/service-model/techniques.js';

/** The sizes of Llama 3.1 8B. */
const LARGE: SourceMeasure = {
  bytes: 16.1e9,
  weightBytes: 16.06e9,
  archive: false,
  config: {
    hidden_size: 4096,
    intermediate_size: 14_336,
    num_attention_heads: 32,
    num_key_value_heads: 8,
    max_position_embeddings: 131_072,
    torch_dtype: 'bfloat16',
  },
};
const SMALL: SourceMeasure = {
  bytes: 6e6,
  weightBytes: 5.8e6,
  archive: false,
  config: {
    hidden_size: 256,
    intermediate_size: 512,
    num_attention_heads: 8,
    num_key_value_heads: 4,
    max_position_embeddings: 256,
  },
};

function step(environment: Record<string, string>, change: Partial<Step> = {}): Step {
  return {
    technique: 'quantization',
    optimizationType: 'Quantization',
    image: undefined,
    environment,
    ...change,
  };
}

const rtn = step({ OPTION_QUANTIZE: 'rtn', OPTION_EVALUATE: 'false' });
const gptq = step({ OPTION_QUANTIZE: 'gptq', OPTION_EVALUATE: 'false' });
const needsOf = (source: SourceMeasure, ...steps: Step[]) => estimateNeeds(source, steps, false);

describe('estimateNeeds', () => {
  it('knows that streaming takes the same memory whatever the size', () => {
    expect(needsOf(LARGE, rtn).memoryBytes).toBe(needsOf(SMALL, rtn).memoryBytes);
    expect(needsOf(SMALL, rtn).memoryBytes).toBeLessThan(200e6);
  });

  it('grows with the block that a calibrated technique holds', () => {
    const { memoryBytes } = needsOf(LARGE, gptq);
    // A block is 872 MB in f32, the widest Gram matrix 822 MB.
    expect(memoryBytes).toBeGreaterThan(5e9);
    expect(memoryBytes).toBeLessThan(12e9);
    expect(needsOf(SMALL, gptq).memoryBytes).toBeLessThan(700e6);
  });

  it('lies above the peaks that were measured, and not far', () => {
    const synthetic = (hidden: number, intermediate: number): SourceMeasure => ({
      ...SMALL,
      config: {
        hidden_size: hidden,
        intermediate_size: intermediate,
        num_attention_heads: 32,
        num_key_value_heads: 8,
      },
    });
    const evaluating = (tokens: string) =>
      step({ OPTION_QUANTIZE: 'rtn', OPTION_EVAL_TOKENS: tokens });
    const calibrating = (samples: string, length: string) =>
      step({
        OPTION_QUANTIZE: 'gptq',
        OPTION_EVALUATE: 'false',
        OPTION_CALIB_SIZE: samples,
        OPTION_MAX_MODEL_LEN: length,
      });
    const measured = [
      [synthetic(1024, 2816), evaluating('4096'), 559e6],
      [synthetic(1024, 2816), evaluating('8192'), 731e6],
      [synthetic(1024, 2816), calibrating('8', '512'), 540e6],
      [synthetic(1024, 2816), calibrating('8', '2048'), 673e6],
      [synthetic(2048, 5632), evaluating('4096'), 625e6],
      [synthetic(2048, 5632), evaluating('8192'), 747e6],
      [synthetic(2048, 5632), calibrating('8', '512'), 1437e6],
      [synthetic(2048, 5632), calibrating('8', '2048'), 1575e6],
    ] as const;
    for (const [source, given, peak] of measured) {
      const { memoryBytes } = needsOf(source, given);
      expect(memoryBytes / peak).toBeGreaterThan(1);
      expect(memoryBytes / peak).toBeLessThan(1.8);
    }
  });

  it('gives a small job one core and a long one all that it has use for', () => {
    expect(needsOf(SMALL, rtn).cores).toBe(1);
    expect(needsOf(LARGE, rtn).cores).toBe(2);
    expect(needsOf(LARGE, gptq).cores).toBe(64);
  });

  it('counts the results of all steps, and a copy where one is made', () => {
    const sharding = step({}, { technique: 'sharding' });
    const inPlace = needsOf(LARGE, rtn, sharding).diskBytes;
    expect(inPlace).toBeCloseTo(1.25 * LARGE.weightBytes, -6);
    expect(estimateNeeds(LARGE, [rtn, sharding], true).diskBytes).toBe(inPlace + LARGE.bytes);
    const archive = { bytes: 100, weightBytes: 100, archive: true, config: undefined };
    expect(needsOf(archive, rtn).diskBytes).toBe(155);
  });

  it('guesses where a model’s sizes are unknown, and holds a container to have it all', () => {
    const unknown = { ...LARGE, config: undefined };
    expect(needsOf(unknown, gptq).memoryBytes).toBeGreaterThan(LARGE.weightBytes / 2);
    const image = step({}, { image: '000000000000.dkr.ecr.us-east-1.amazonaws.com/x:1' });
    expect(needsOf(LARGE, image).memoryBytes).toBeGreaterThan(LARGE.weightBytes);
  });

  it('is not led astray by a configuration that makes no sense', () => {
    const config = { hidden_size: 1e300, intermediate_size: -1, num_attention_heads: 'many' };
    const needs = needsOf({ ...LARGE, config }, gptq);
    expect(Object.values(needs).every(Number.isFinite)).toBe(true);
  });
});

describe('whyNever', () => {
  const capacity = { cores: 2, memoryBytes: 4e9, diskBytes: 100e9 };

  it('says nothing of what fits, if on fewer cores', () => {
    expect(whyNever({ cores: 64, memoryBytes: 4e9, diskBytes: 1 }, capacity)).toBeUndefined();
  });

  it('names what is needed and what is there', () => {
    expect(whyNever({ cores: 1, memoryBytes: 9e9, diskBytes: 200e9 }, capacity)).toMatch(
      /9\.000 GB of memory.* 4\.000 GB and .*200\.0 GB of temporary disk space.* 100\.0 GB/,
    );
  });
});
