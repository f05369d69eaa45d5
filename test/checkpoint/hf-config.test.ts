import { describe, expect, it } from 'vitest';
import { interpretHfConfig, requireUnquantized } from '#burnish/checkpoint/hf-config.js';

const config = (values: object) => interpretHfConfig(JSON.stringify(values), values as never);

describe('interpretHfConfig', () => {
  it('reads what the layout of a model depends on', () => {
    expect(
      config({
        model_type: 'llama',
        architectures: ['LlamaForCausalLM'],
        torch_dtype: 'bfloat16',
        tie_word_embeddings: true,
      }),
    ).toMatchObject({
      modelType: 'llama',
      architectures: ['LlamaForCausalLM'],
      dtype: 'bfloat16',
      tieWordEmbeddings: true,
      multimodal: false,
    });
  });

  it('looks into the language model’s part of a model of several parts', () => {
    const read = config({
      model_type: 'gemma3',
      text_config: { model_type: 'gemma3_text', dtype: 'float16', tie_word_embeddings: false },
    });
    expect(read).toMatchObject({ dtype: 'float16', tieWordEmbeddings: false, multimodal: true });
    expect(read.languageModel.model_type).toBe('gemma3_text');
  });

  it('leaves open what the file leaves open', () => {
    expect(config({ model_type: 'llama', architectures: 'x', torch_dtype: 4 })).toMatchObject({
      architectures: [],
      dtype: undefined,
      tieWordEmbeddings: undefined,
    });
  });
});

describe('requireUnquantized', () => {
  it.each([
    [{ quantization_config: { quant_method: 'gptq' } }, 'has a quantization_config (gptq)'],
    [{ quantization_config: {} }, 'has a quantization_config: the checkpoint is already quantized'],
    [{ compression_config: { quant_method: 'x' } }, 'has a compression_config (x)'],
    [{ text_config: { quantization_config: { quant_method: 'awq' } } }, '(awq)'],
  ])('refuses %j', (values, message) => {
    expect(() => requireUnquantized(config({ model_type: 'llama', ...values }))).toThrow(message);
  });

  it('takes null as nothing', () => {
    requireUnquantized(config({ model_type: 'llama', quantization_config: null }));
  });
});
