import { describe, expect, it } from 'vitest';
import { estimateNeeds, type JobPlace } from '#burnish/jobs/admission/estimate-needs.js';
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
const PLACE: JobPlace = { copiesSources: false, roomBytes: 64e9, diskBytes: 1e12 };
const needsOf = (source: SourceMeasure, ...steps: Step[]) => estimateNeeds(source, steps, PLACE);

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
    const calibrating = (samples: string, length: string, technique = 'gptq') =>
      step({
        OPTION_QUANTIZE: technique,
        OPTION_EVALUATE: 'false',
        OPTION_CALIB_SIZE: samples,
        OPTION_MAX_MODEL_LEN: length,
      });
    const measured = [
      [synthetic(1024, 2816), evaluating('4096'), 369e6],
      [synthetic(1024, 2816), evaluating('8192'), 390e6],
      [synthetic(1024, 2816), calibrating('8', '512'), 450e6],
      [synthetic(1024, 2816), calibrating('8', '2048'), 554e6],
      [synthetic(1024, 2816), calibrating('8', '512', 'gptaq'), 561e6],
      [synthetic(2048, 5632), calibrating('8', '512', 'gptaq'), 1360e6],
      [synthetic(2048, 5632), calibrating('8', '512', 'awq'), 1026e6],
      [synthetic(2048, 5632), calibrating('8', '512', 'smoothquant'), 1035e6],
      [synthetic(1024, 2816), calibrating('8', '512', 'awq'), 487e6],
      [synthetic(1024, 2816), calibrating('8', '512', 'fp8'), 424e6],
      [synthetic(2048, 5632), evaluating('4096'), 536e6],
      [synthetic(2048, 5632), evaluating('8192'), 638e6],
      [synthetic(2048, 5632), calibrating('8', '512'), 1031e6],
      [synthetic(2048, 5632), calibrating('8', '2048'), 1159e6],
    ] as const;
    for (const [source, given, peak] of measured) {
      const { memoryBytes } = needsOf(source, given);
      expect(memoryBytes / peak).toBeGreaterThan(1);
      expect(memoryBytes / peak).toBeLessThan(1.8);
    }
  });

  it('counts what a technique holds beside what calibration sums up', () => {
    const bytesOf = (technique: string, more: Record<string, string> = {}) =>
      needsOf(LARGE, step({ OPTION_QUANTIZE: technique, OPTION_EVALUATE: 'false', ...more }))
        .memoryBytes;
    const widest = 4 * 14_336 ** 2;
    const sums = 4 * (4096 ** 2 + 14_336 ** 2);
    // A damped matrix and its factor, where scaling has matrices of scaled families.
    expect(bytesOf('gptq') - bytesOf('smoothquant')).toBe(2 * widest - sums);
    // Half panels, 64 rows of three weights, and a million weights with their errors.
    expect(bytesOf('awq') - bytesOf('smoothquant')).toBe(
      widest / 2 + 4 * (3 * 64 * 14_336 + 3 * 2 ** 20),
    );
    const scaling = { OPTION_GPTAQ_SCALING: 'true' };
    expect(bytesOf('gptaq', scaling) - bytesOf('gptaq')).toBeGreaterThan(sums);
  });

  it('counts the processes in which compiled graphs are rewritten and measured', () => {
    const compiling = (environment: Record<string, string>) =>
      step(environment, { technique: 'compilation' });
    const sized = (weightBytes: number): SourceMeasure => ({
      ...{ bytes: weightBytes, weightBytes, archive: false },
      config: { torch_dtype: 'bfloat16' },
    });
    const quiet = { OPTION_EVALUATE: 'false' };
    const unmeasured = { OPTION_COMPILE_MEASURE: 'false' };
    const here = { OPTION_COMPILE_TARGET: 'this_machine' };
    // The last is stored in f32.
    const measured = [
      [sized(111e6), compiling({ OPTION_DTYPE: 'fp32' }), 526e6],
      [sized(111e6), compiling({ OPTION_DTYPE: 'fp16', ...quiet }), 424e6],
      [sized(111e6), compiling({ OPTION_DTYPE: 'int8', ...quiet }), 390e6],
      [sized(111e6), compiling({ OPTION_DTYPE: 'int4', ...quiet }), 408e6],
      [sized(492e6), compiling({ OPTION_DTYPE: 'int4', ...quiet }), 1145e6],
      [sized(492e6), compiling({ OPTION_DTYPE: 'fp32', ...unmeasured, ...here }), 1181e6],
      [sized(492e6), compiling({ OPTION_DTYPE: 'int4', ...unmeasured, ...here }), 432e6],
      [{ ...sized(5.8e6), config: {} }, compiling({ OPTION_DTYPE: 'int4' }), 268e6],
    ] as const;
    for (const [source, given, peak] of measured) {
      const { memoryBytes } = needsOf(source, given);
      expect(memoryBytes / peak).toBeGreaterThan(1);
      expect(memoryBytes / peak).toBeLessThan(1.8);
    }
  });

  it('counts no graph that there is no room to measure, so that the job is not refused for it', () => {
    const compilation = step({ OPTION_DTYPE: 'int4' }, { technique: 'compilation' });
    const needs = (roomBytes: number) =>
      estimateNeeds(LARGE, [compilation], { ...PLACE, roomBytes }).memoryBytes;
    // 32 GB in fp32, 4 in int4.
    expect(needs(128e9)).toBeGreaterThan(40e9);
    expect(needs(16e9)).toBeGreaterThan(5e9);
    expect(needs(16e9)).toBeLessThan(6e9);
    expect(needs(4e9)).toBeLessThan(200e6);
    const rewritten = { ...compilation, environment: { OPTION_COMPILE_TARGET: 'this_machine' } };
    expect(
      estimateNeeds(LARGE, [rewritten], { ...PLACE, roomBytes: 4e9 }).memoryBytes,
    ).toBeGreaterThan(32e9);
  });

  it('takes the cores and the space of a compilation from its settings', () => {
    const compilation = (environment: Record<string, string>) =>
      step(environment, { technique: 'compilation' });
    const int4 = needsOf(
      LARGE,
      compilation({ OPTION_DTYPE: 'int4', OPTION_COMPILE_MEASURE: 'false' }),
    );
    expect(int4.cores).toBe(2);
    expect(int4.diskBytes).toBeCloseTo(LARGE.weightBytes / 4, -6);
    const fp32 = needsOf(LARGE, compilation({ OPTION_COMPILE_TARGET: 'this_machine' }));
    expect(fp32.diskBytes).toBeCloseTo(4 * LARGE.weightBytes, -6);
    expect(fp32.cores).toBeGreaterThan(int4.cores);
    // Codes are kept, whether the source has them or the step before makes them.
    const config = { ...LARGE.config, quantization_config: {} };
    const kept = needsOf({ ...LARGE, config }, compilation({}));
    expect(kept.diskBytes).toBeCloseTo(LARGE.weightBytes, -6);
    expect(needsOf(LARGE, rtn, compilation({})).diskBytes).toBeCloseTo(LARGE.weightBytes / 2, -6);
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
    expect(estimateNeeds(LARGE, [rtn, sharding], { ...PLACE, copiesSources: true }).diskBytes).toBe(
      inPlace + LARGE.bytes,
    );
    const archive = { bytes: 100, weightBytes: 100, archive: true, config: undefined };
    expect(needsOf(archive, rtn).diskBytes).toBe(155);
  });

  describe('counts samples on the disk', () => {
    const samples = (technique: string, count: number) =>
      step({
        OPTION_QUANTIZE: technique,
        OPTION_EVALUATE: 'false',
        OPTION_CALIB_SIZE: String(count),
        OPTION_MAX_MODEL_LEN: '2048',
      });
    const result = Math.ceil(LARGE.weightBytes / 4);
    const bytesOf = (given: Step, change: Partial<JobPlace> = {}, source = LARGE) =>
      estimateNeeds(source, [given], { ...PLACE, ...change }).diskBytes - result;
    /** One number for each token at the width of the model, and at that of its networks. */
    const hidden = (count: number) => 4 * count * 2048 * 4096;
    const inner = (count: number) => 4 * count * 2048 * 14_336;

    it('beyond half a gigabyte of activations', () => {
      expect(bytesOf(samples('awq', 16))).toBe(0);
      expect(bytesOf(samples('awq', 17))).toBe(hidden(17));
      expect(bytesOf(samples('gptaq', 512))).toBe(2 * hidden(512));
    });

    it('with the kept inputs of last layers, as long as they are kept', () => {
      expect(bytesOf(samples('gptq', 16))).toBe(inner(16));
      expect(bytesOf(samples('gptq', 32))).toBe(hidden(32) + inner(32));
      expect(bytesOf(samples('gptaq', 32))).toBe(2 * (hidden(32) + inner(32)));
      // Those of networks would be more than 4 GiB.
      expect(bytesOf(samples('gptq', 64))).toBe(2 * hidden(64));
      expect(bytesOf(samples('gptq', 512))).toBe(hidden(512));
    });

    it('but nothing that there is no room to keep, so that no job is refused for it', () => {
      const diskBytes = result + hidden(32) + 4 * inner(32);
      expect(bytesOf(samples('gptq', 32), { diskBytes })).toBe(hidden(32) + inner(32));
      expect(bytesOf(samples('gptq', 32), { diskBytes: diskBytes - 1 })).toBe(2 * hidden(32));
      expect(bytesOf(samples('gptq', 32), { diskBytes: result })).toBe(hidden(32));
    });

    it('twice where they are routed to experts, whose inputs are not kept', () => {
      const config = { ...LARGE.config, num_local_experts: 8 };
      const given = samples('gptq', 32);
      expect(bytesOf(given, {}, { ...LARGE, config })).toBe(3 * hidden(32));
    });

    it('of evaluation, too, and once for several steps', () => {
      const evaluating = step({ OPTION_QUANTIZE: 'rtn', OPTION_EVAL_TOKENS: '65536' });
      expect(bytesOf(evaluating)).toBe(4 * 65_536 * 4096);
      const steps = [evaluating, step({}, { technique: 'sharding' })];
      expect(estimateNeeds(LARGE, steps, PLACE).diskBytes).toBe(
        result + LARGE.weightBytes + 4 * 65_536 * 4096,
      );
    });
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
