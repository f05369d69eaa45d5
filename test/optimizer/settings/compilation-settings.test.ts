import { describe, expect, it } from 'vitest';
import { parseCompilationSettings } from '#burnish/optimizer/settings/compilation-settings.js';

describe('the settings of compilation', () => {
  it('have defaults, and are told back', () => {
    const settings = parseCompilationSettings({});
    expect(settings).toMatchObject({
      ...{ dtype: undefined, positions: undefined, batch: 1, level: 1, target: 'portable' },
      ...{ layout: 'genai', blockSize: 32, zeroPoint: false, accuracyLevel: 4, measure: true },
      evaluation: { enabled: true, dataset: undefined, tokens: undefined },
    });
    expect(settings.effective).toMatchObject({
      OPTION_DTYPE: 'auto',
      OPTION_OPTIMIZATION_LEVEL: '1',
    });
    const own = parseCompilationSettings({ OPTION_COMPILE_TARGET: 'this_machine' });
    expect(own.level).toBe(3);
  });

  it('come from the caller before the model’s file', () => {
    const properties = new Map([
      ['option.dtype', 'int4'],
      ['option.n_positions', '512'],
      ['option.quantize', 'awq'],
    ]);
    const settings = parseCompilationSettings({ OPTION_DTYPE: 'int8' }, properties);
    expect(settings).toMatchObject({ dtype: 'int8', positions: 512 });
  });

  it.each([
    [{ OPTION_DTYPE: 'bf16' }, /OPTION_DTYPE is "bf16": .*no bfloat16/],
    [{ OPTION_DTYPE: 'fp8' }, /Image of a TensorRT-LLM compiler/],
    [{ OPTION_OPTIMIZATION_LEVEL: '2' }, /set OPTION_COMPILE_TARGET=this_machine/],
    [{ OPTION_N_POSITIONS: '0' }, /OPTION_N_POSITIONS is "0"/],
    [{ OPTION_MAX_ROLLING_BATCH_SIZE: 'many' }, /OPTION_MAX_ROLLING_BATCH_SIZE is "many"/],
    [{ OPTION_COMPILE_LAYOUTS: 'genai' }, /did you mean OPTION_COMPILE_LAYOUT\?/],
    [{ OPTION_COMPILE_SPEED: '9' }, /not a setting of compilation; those are OPTION_DTYPE/],
    [{ OPTION_AWQ_BLOCK_SIZE: '64' }, /is a setting of quantization/],
    [{ OPTION_ENTRYPOINT: 'djl_python.tensorrt_llm' }, /asks for TensorRT-LLM/],
    [{ OPTION_NEURON_OPTIMIZE_LEVEL: '2' }, /asks for Neuron.*Image of a Neuron compiler/],
  ])('are refused: %j', (environment, message) => {
    expect(() => parseCompilationSettings({ ...environment })).toThrow(message);
  });

  it('leave those of a quantization before it alone', () => {
    const environment = { OPTION_QUANTIZE: 'awq', OPTION_AWQ_BLOCK_SIZE: '64' };
    expect(parseCompilationSettings(environment, undefined, true).dtype).toBeUndefined();
  });
});
