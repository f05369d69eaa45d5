import { describe, expect, it } from 'vitest';
import { interpretHfConfig } from '#burnish/checkpoint/hf-config.js';
import { parseJson } from '#burnish/checkpoint/json.js';
import { withQuantizationConfig } from '#burnish/optimizer/output/config-json.js';

const VALUE = { quant_method: 'compressed-tensors', ignore: ['lm_head'] };

function written(text: string): string {
  const values = parseJson(text, { what: 'config.json', pythonNumbers: true });
  return withQuantizationConfig(interpretHfConfig(text, values), VALUE);
}

describe('withQuantizationConfig', () => {
  it.each([
    ['indented', '{\n  "model_type": "llama",\n  "rms_norm_eps": 1e-05\n}\n'],
    ['tabs', '{\n\t"model_type": "llama",\n\t"n": 12345678901234567890\n}'],
    ['one line', '{"model_type": "llama", "x": {"y": [1, 2]}}'],
    ['windows lines', '{\r\n  "model_type": "llama"\r\n}\r\n'],
  ])('keeps every byte of %s text', (_, text) => {
    const result = written(text);
    const body = text.slice(0, text.lastIndexOf('}')).trimEnd();
    expect(result.startsWith(`${body},`)).toBe(true);
    expect(result.endsWith(text.slice(body.length))).toBe(true);
    expect(JSON.parse(result)).toEqual({ ...JSON.parse(text), quantization_config: VALUE });
  });

  it('keeps the numbers that only Python reads', () => {
    const result = written('{"model_type": "mamba2", "limit": [0.0, Infinity]}');
    expect(result).toContain('[0.0, Infinity]');
  });

  it('takes the place of a null', () => {
    const text = '{"model_type":"llama","quantization_config":null,"b":1}';
    expect(JSON.parse(written(text)).quantization_config).toEqual(VALUE);
    expect(written(text).match(/quantization_config/g)).toHaveLength(1);
    expect(() => written('{"model_type":"x","quantization_config":null,"b":NaN}')).toThrow(
      'remove it',
    );
  });
});
