import { describe, expect, it } from 'vitest';
import { SettingsError } from '#burnish/optimizer/settings/errors.js';
import { parseProperties } from '#burnish/optimizer/settings/properties.js';
import { parseQuantizationSettings } from '#burnish/optimizer/settings/quantization-settings.js';

const RTN = { OPTION_QUANTIZE: 'rtn' };
const FP8 = { OPTION_QUANTIZE: 'fp8', OPTION_FP8_SCHEME: 'FP8_DYNAMIC' };
const INT8 = { OPTION_QUANTIZE: 'int8' };

function errorOf(environment: Readonly<Record<string, string>>, file = ''): SettingsError {
  try {
    parseQuantizationSettings(environment, parseProperties(file));
  } catch (error) {
    if (error instanceof SettingsError) return error;
    throw error;
  }
  throw new Error('these settings are accepted');
}

describe('parseQuantizationSettings', () => {
  it('fills in the documented defaults', () => {
    expect(parseQuantizationSettings(RTN)).toMatchObject({
      scheme: { technique: 'rtn', bits: 4, groupSize: 128, zeroPoint: false },
      ignore: { given: false },
      effective: {
        OPTION_QUANTIZE: 'rtn',
        OPTION_RTN_WEIGHT_BIT_WIDTH: '4',
        OPTION_RTN_BLOCK_SIZE: '128',
        OPTION_RTN_ZERO_POINT: 'false',
        OPTION_RTN_IGNORE_LAYERS: 'lm_head',
        OPTION_EVALUATE: 'true',
      },
    });
    expect(parseQuantizationSettings(FP8).scheme).toEqual({
      technique: 'fp8',
      staticInputs: false,
    });
    expect(parseQuantizationSettings(INT8).scheme).toEqual({ technique: 'int8' });
  });

  it('makes awq of a step that names no technique, as the containers do', () => {
    expect(parseQuantizationSettings({})).toMatchObject({
      scheme: { technique: 'awq', bits: 4, groupSize: 128, zeroPoint: true },
      calibration: {
        samples: 512,
        samplesGiven: false,
        sampleTokens: 2048,
        sampleTokensGiven: false,
        dataset: undefined,
      },
      evaluation: { enabled: true, tokens: undefined, maxIncrease: undefined },
      executionProvider: 'cpu',
    });
  });

  it('reads what calibration and evaluation are to work on', () => {
    const settings = parseQuantizationSettings({
      OPTION_QUANTIZE: 'gptq',
      OPTION_GPTQ_ORDER: 'natural',
      OPTION_GPTQ_DAMPING: '5e-2',
      OPTION_CALIB_SIZE: '64',
      OPTION_CALIB_DATASET: 's3://texts/a.jsonl',
      OPTION_MAX_MODEL_LEN: '512',
      OPTION_EVAL_TOKENS: '1000',
      OPTION_MAX_PERPLEXITY_INCREASE: '1.05',
    });
    expect(settings).toMatchObject({
      scheme: { technique: 'gptq', order: 'natural', damping: 0.05, format: 'gptq' },
      calibration: {
        samples: 64,
        samplesGiven: true,
        sampleTokens: 512,
        sampleTokensGiven: true,
        dataset: 's3://texts/a.jsonl',
      },
      evaluation: { tokens: 1000, maxIncrease: 1.05 },
    });
    expect(settings.serving.get('max_model_len')).toBe('512');
  });

  it.each(['rtn', 'int8'])('gives %s nothing to calibrate with', (technique) => {
    expect(parseQuantizationSettings({ OPTION_QUANTIZE: technique }).calibration).toBeUndefined();
    expect(parseQuantizationSettings(FP8).calibration).toBeUndefined();
  });

  it('reads every setting of gptaq', () => {
    const { scheme, calibration } = parseQuantizationSettings({
      OPTION_QUANTIZE: 'gptaq',
      OPTION_GPTAQ_WEIGHT_BIT_WIDTH: '3',
      OPTION_GPTAQ_BLOCK_SIZE: '64',
      OPTION_GPTAQ_ZERO_POINT: 'true',
      OPTION_GPTAQ_FORMAT: 'compressed-tensors',
      OPTION_GPTAQ_SCALING: 'true',
      OPTION_GPTAQ_SWEEPS: '2',
    });
    expect(scheme).toEqual({
      technique: 'gptaq',
      bits: 3,
      groupSize: 64,
      zeroPoint: true,
      order: 'activity',
      damping: 0.05,
      format: 'compressed-tensors',
      scaling: true,
      sweeps: 2,
    });
    expect(calibration).toBeDefined();
  });

  it('takes for awq the bits that its format has', () => {
    const three = { OPTION_QUANTIZE: 'awq', OPTION_AWQ_WEIGHT_BIT_WIDTH: '3' };
    expect(errorOf(three).message).toBe(
      'OPTION_AWQ_WEIGHT_BIT_WIDTH is 3, but AutoAWQ checkpoints have 4-bit weights; use OPTION_AWQ_FORMAT=compressed-tensors',
    );
    const free = { ...three, OPTION_AWQ_FORMAT: 'compressed-tensors' };
    expect(parseQuantizationSettings(free).scheme).toMatchObject({
      bits: 3,
      format: 'compressed-tensors',
    });
  });

  it('reads every setting of rtn', () => {
    const { scheme } = parseQuantizationSettings({
      ...RTN,
      OPTION_RTN_WEIGHT_BIT_WIDTH: '8',
      OPTION_RTN_BLOCK_SIZE: '-1',
      OPTION_RTN_ZERO_POINT: 'True',
    });
    expect(scheme).toEqual({ technique: 'rtn', bits: 8, groupSize: undefined, zeroPoint: true });
  });

  it.each(['RTN', 'Rtn', ' rtn '])('takes %j for rtn', (value) => {
    expect(parseQuantizationSettings({ OPTION_QUANTIZE: value }).scheme.technique).toBe('rtn');
  });

  it.each(['fp8', 'rtn', 'int8'])('leaves lm_head alone by default with %s', (technique) => {
    const environment = { ...FP8, OPTION_QUANTIZE: technique };
    const given = technique === 'fp8' ? environment : { OPTION_QUANTIZE: technique };
    const { patterns } = parseQuantizationSettings(given).ignore;
    expect(patterns.map(({ source }) => source)).toEqual(['lm_head']);
  });

  it('takes an ignore list as it is given, an empty one too', () => {
    const list = { ...RTN, OPTION_RTN_IGNORE_LAYERS: 'lm_head, mlp.down_proj ,re:.*\\.3\\..*' };
    const { ignore } = parseQuantizationSettings(list);
    expect(ignore.given).toBe(true);
    expect(ignore.patterns.map(({ source }) => source)).toEqual([
      'lm_head',
      'mlp.down_proj',
      're:.*\\.3\\..*',
    ]);
    const none = parseQuantizationSettings({ ...INT8, OPTION_INT8_IGNORE_LAYERS: '' });
    expect(none.ignore.patterns).toEqual([]);
  });

  describe('refuses', () => {
    it.each([
      [{ OPTION_QUANTIZE: 'fp9' }, 'OPTION_QUANTIZE', 'is "fp9", but must be one of'],
      [{ OPTION_QUANTIZE: 'fp9' }, 'OPTION_QUANTIZE', 'did you mean fp8?'],
      [{ OPTION_QUANTIZE: '' }, 'OPTION_QUANTIZE', 'is "", but must be one of'],
      [
        { ...FP8, OPTION_FP8_SCHEME: 'FP8_DYNAMC' },
        'OPTION_FP8_SCHEME',
        'did you mean FP8_DYNAMIC?',
      ],
      [
        { ...RTN, OPTION_RTN_BLOCK_SIZE: '48' },
        'OPTION_RTN_BLOCK_SIZE',
        'must be one of 32, 64, 128, -1',
      ],
      [{ ...RTN, OPTION_RTN_BLOCK_SIZE: '0x20' }, 'OPTION_RTN_BLOCK_SIZE', 'must be one of'],
      [
        { ...RTN, OPTION_RTN_WEIGHT_BIT_WIDTH: '5' },
        'OPTION_RTN_WEIGHT_BIT_WIDTH',
        'must be one of 2, 3, 4, 8',
      ],
      [
        { ...RTN, OPTION_RTN_ZERO_POINT: 'yes' },
        'OPTION_RTN_ZERO_POINT',
        'must be one of true, false',
      ],
      [
        { ...RTN, OPTION_EVALUATE: 'false', OPTION_MAX_PERPLEXITY_INCREASE: '1.1' },
        'OPTION_MAX_PERPLEXITY_INCREASE',
        'perplexity would not be known',
      ],
      [
        { ...RTN, OPTION_MAX_PERPLEXITY_INCREASE: '0.05' },
        'OPTION_MAX_PERPLEXITY_INCREASE',
        'must be a number from 1 to 1000',
      ],
      [
        {
          OPTION_QUANTIZE: 'gptq',
          OPTION_GPTQ_ORDER: 'activity-groups',
          OPTION_GPTQ_FORMAT: 'compressed-tensors',
        },
        'OPTION_GPTQ_ORDER',
        'use activity, or OPTION_GPTQ_FORMAT=gptq',
      ],
      [{ ...RTN, OPTION_EVAL_TOKENS: '1e3' }, 'OPTION_EVAL_TOKENS', 'must be a whole number'],
      [
        { ...RTN, OPTION_EVAL_DATASET: '/etc/passwd' },
        'OPTION_EVAL_DATASET',
        'must be an s3:// URI',
      ],
      [
        { OPTION_MAX_MODEL_LEN: 'long' },
        'OPTION_MAX_MODEL_LEN',
        'must be a whole number from 1 to',
      ],
      [{ ...RTN, OPTION_EVALUATE: 'maybe' }, 'OPTION_EVALUATE', 'must be one of true, false'],
      [
        { ...RTN, OPTION_FP8_SCHEME: 'FP8' },
        'OPTION_FP8_SCHEME',
        'a setting of fp8, but OPTION_QUANTIZE is rtn',
      ],
      [{ ...RTN, OPTION_AWQ_BLOCK_SIZE: '64' }, 'OPTION_AWQ_BLOCK_SIZE', 'a setting of awq'],
      [
        { ...RTN, OPTION_INT8_IGNORE_LAYERS: 'x' },
        'OPTION_INT8_IGNORE_LAYERS',
        'a setting of int8',
      ],
      [
        { ...INT8, OPTION_CALIB_SIZE: '64' },
        'OPTION_CALIB_SIZE',
        'a setting of awq, gptq, gptaq, smoothquant, fp8',
      ],
      [
        { ...RTN, OPTION_RTN_BLOCKSIZE: '64' },
        'OPTION_RTN_BLOCKSIZE',
        'did you mean OPTION_RTN_BLOCK_SIZE?',
      ],
      [
        { ...RTN, OPTION_RTN_SYMMETRY: '1' },
        'OPTION_RTN_SYMMETRY',
        'not a setting of rtn; those are OPTION_RTN_WEIGHT_BIT_WIDTH',
      ],
      [{ OPTION_QUANTISE: 'rtn' }, 'OPTION_QUANTISE', 'did you mean OPTION_QUANTIZE?'],
      [
        { ...RTN, OPTION_TENSOR_PARALEL_DEGREE: '2' },
        'OPTION_TENSOR_PARALEL_DEGREE',
        'did you mean OPTION_TENSOR_PARALLEL_DEGREE?',
      ],
      [
        { ...RTN, OPTON_RTN_ZERO_POINT: 'true' },
        'OPTON_RTN_ZERO_POINT',
        'did you mean OPTION_RTN_ZERO_POINT?',
      ],
      [{ ...RTN, RTN_ZERO_POINT: 'true' }, 'RTN_ZERO_POINT', 'did you mean OPTION_RTN_ZERO_POINT?'],
      [{ ...RTN, OPTION_quantize: 'fp8' }, 'OPTION_quantize', 'are the same setting'],
      [{ ...RTN, SM_NEO_CACHE_DIR: '/x' }, 'SM_NEO_CACHE_DIR', 'reserved'],
      [{ ...RTN, 'OPTION_A B': '1' }, 'OPTION_A B', "not a setting's name"],
      [{ ...RTN, OPTION_DTYPE: 'bf16\noption.x=1' }, 'OPTION_DTYPE', 'control character'],
      [{ ...RTN, OPTION_DTYPE: 'x'.repeat(20_000) }, 'OPTION_DTYPE', 'longer than'],
      [
        { ...RTN, OPTION_LOAD_FORMAT: 'sagemaker_fast_model_loader' },
        'OPTION_LOAD_FORMAT',
        'quantize first, then shard',
      ],
      [
        { ...RTN, OPTION_RTN_IGNORE_LAYERS: 're:(' },
        'OPTION_RTN_IGNORE_LAYERS',
        'expression cannot be used',
      ],
    ])('%j', (environment, setting, message) => {
      const error = errorOf(environment);
      expect(error.message).toContain(message);
      expect(error.message).toContain(setting.replace('OPTION_A B', '"OPTION_A B"'));
      expect(error.setting).toBe(setting);
    });
  });

  it('carries serving options through, known and unknown', () => {
    const { serving } = parseQuantizationSettings({
      ...RTN,
      OPTION_TENSOR_PARALLEL_DEGREE: '2',
      OPTION_SOMETHING_QUITE_NEW: 'x',
    });
    expect(Object.fromEntries(serving)).toEqual({
      tensor_parallel_degree: '2',
      something_quite_new: 'x',
    });
  });

  it('says what it does not use', () => {
    const { notes } = parseQuantizationSettings({ ...RTN, HF_HOME: '/tmp' });
    expect(notes).toEqual([expect.stringContaining('HF_HOME')]);
  });

  describe('with a file in the model', () => {
    const file =
      'option.quantize=fp8\noption.fp8_scheme=FP8_DYNAMIC\noption.dtype=bf16\nengine=Python';

    it('takes its settings', () => {
      const settings = parseQuantizationSettings({}, parseProperties(file));
      expect(settings.scheme).toEqual({ technique: 'fp8', staticInputs: false });
      expect(Object.fromEntries(settings.serving)).toEqual({ dtype: 'bf16' });
    });

    it('lets the environment win, and says what of the file is not used', () => {
      const settings = parseQuantizationSettings(
        { ...RTN, OPTION_DTYPE: 'fp16' },
        parseProperties(file),
      );
      expect(settings.scheme.technique).toBe('rtn');
      expect(settings.serving.get('dtype')).toBe('fp16');
      expect(settings.notes).toEqual([
        expect.stringContaining('option.fp8_scheme in serving.properties'),
      ]);
    });

    it('names the file where its value is bad', () => {
      expect(errorOf(RTN, 'option.rtn_block_size=7').message).toContain(
        'option.rtn_block_size in serving.properties is "7"',
      );
    });

    it('does not judge names in it that it does not know', () => {
      const { serving } = parseQuantizationSettings(RTN, parseProperties('option.quantise=1'));
      expect(serving.get('quantise')).toBe('1');
    });
  });
});
