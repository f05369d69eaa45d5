import { describe, expect, it } from 'vitest';
import { resultProperties } from '#burnish/optimizer/output/serving-properties.js';
import { parseProperties } from '#burnish/optimizer/settings/properties.js';
import { parseQuantizationSettings } from '#burnish/optimizer/settings/quantization-settings.js';

function result(environment: Readonly<Record<string, string>>, file = '') {
  const source = parseProperties(file);
  const settings = parseQuantizationSettings({ OPTION_QUANTIZE: 'rtn', ...environment }, source);
  const { properties, notes } = resultProperties(source, settings, 'compressed-tensors');
  return { properties: Object.fromEntries(properties), notes };
}

describe('resultProperties', () => {
  it('names the form of the weights and nothing else by default', () => {
    expect(result({}).properties).toEqual({ 'option.quantize': 'compressed-tensors' });
  });

  it('keeps the source’s keys, puts the caller’s over them and drops the optimizer’s', () => {
    const file = [
      'engine=Python',
      'option.dtype=bf16',
      'option.max_model_len=4096',
      'option.rtn_block_size=64',
      'option.awq_block_size=64',
      'option.quantize=fp8',
    ].join('\n');
    const environment = {
      OPTION_DTYPE: 'fp16',
      OPTION_TENSOR_PARALLEL_DEGREE: '2',
      OPTION_RTN_ZERO_POINT: 'true',
    };
    expect(result(environment, file).properties).toEqual({
      engine: 'Python',
      'option.dtype': 'fp16',
      'option.max_model_len': '4096',
      'option.tensor_parallel_degree': '2',
      'option.quantize': 'compressed-tensors',
    });
  });

  it('does not send the server back to the model before this step, and says so', () => {
    const { properties, notes } = result({}, 'option.model_id=s3://b/llama');
    expect(properties).not.toHaveProperty(['option.model_id']);
    expect(notes).toEqual([expect.stringContaining('option.model_id')]);
  });
});
