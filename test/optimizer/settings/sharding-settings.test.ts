import { describe, expect, it } from 'vitest';
import { parseShardingSettings } from '#burnish/optimizer/settings/sharding-settings.js';

const DEGREE = { OPTION_TENSOR_PARALLEL_DEGREE: '2' };

describe('settings of sharding', () => {
  it('need the tensor-parallel degree alone', () => {
    const settings = parseShardingSettings(DEGREE);
    expect(settings).toMatchObject({
      ...{ tensorParallel: 2, pipelineParallel: 1, expertParallel: false, layout: 'auto' },
      effective: {
        OPTION_TENSOR_PARALLEL_DEGREE: '2',
        OPTION_PIPELINE_PARALLEL_DEGREE: '1',
        OPTION_ENABLE_EXPERT_PARALLEL: 'false',
        OPTION_SHARD_LAYOUT: 'auto',
      },
      notes: [],
    });
    expect(() => parseShardingSettings({})).toThrow('OPTION_TENSOR_PARALLEL_DEGREE is not set');
  });

  it.each(['0', '-2', '2.0', '1e1', '', 'max', '1025', '99999999999', ' '])(
    'refuse the degree "%s"',
    (degree) => {
      expect(() => parseShardingSettings({ OPTION_TENSOR_PARALLEL_DEGREE: degree })).toThrow(
        'must be a whole number from 1 to 1024',
      );
    },
  );

  it('let the model’s file go before the environment, with a note where they differ', () => {
    const file = new Map([
      ['option.tensor_parallel_degree', '4'],
      ['option.max_model_len', '100'],
      ['option.dtype', 'bf16'],
    ]);
    const settings = parseShardingSettings(
      { ...DEGREE, OPTION_MAX_MODEL_LEN: '100', OPTION_DTYPE: 'fp16' },
      file,
    );
    expect(settings.tensorParallel).toBe(4);
    expect(settings.labels.tensorParallel).toBe(
      'option.tensor_parallel_degree in serving.properties',
    );
    expect(Object.fromEntries(settings.serving)).toEqual({ dtype: 'bf16', max_model_len: '100' });
    expect(settings.notes).toHaveLength(2);
  });

  it('take those of quantization only behind a quantization step', () => {
    const both = { ...DEGREE, OPTION_QUANTIZE: 'rtn', OPTION_RTN_BLOCK_SIZE: '64' };
    expect(() => parseShardingSettings(both)).toThrow(
      'OPTION_QUANTIZE is a setting of quantization',
    );
    expect(parseShardingSettings(both, undefined, true).tensorParallel).toBe(2);
  });

  it.each([
    [{ OPTION_TENSOR_PARALEL_DEGREE: '2' }, 'did you mean OPTION_TENSOR_PARALLEL_DEGREE?'],
    [{ ...DEGREE, OPTION_SHARD_LAYOUT: 'chunkd' }, 'did you mean chunked?'],
    [{ ...DEGREE, OPTION_ENABLE_EXPERT_PARALLEL: 'yes' }, 'must be one of true, false'],
    [{ ...DEGREE, SM_NEO_X: '1' }, 'reserved'],
  ])('refuse slips: %j', (environment, expected) => {
    expect(() => parseShardingSettings(environment)).toThrow(expected);
  });
});
