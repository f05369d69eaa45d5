import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { layoutSafetensors } from '#burnish/checkpoint/safetensors/layout.js';
import { temporaryFolder } from '../../checkpoint/synthetic.js';
import { optimize, readReport } from '../running-optimizer.js';
import { generator } from '../techniques/numbers.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures', import.meta.url));
const MODEL = join(FIXTURES, 'shakespeare-llama');
const EXPERTS = 4;

const CONFIG = {
  model_type: 'mixtral',
  architectures: ['MixtralForCausalLM'],
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  num_local_experts: EXPERTS,
  num_experts_per_tok: 2,
  vocab_size: 1024,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-5,
  rope_theta: 10_000,
  hidden_act: 'silu',
  tie_word_embeddings: false,
  torch_dtype: 'float32',
};

function shapesOfBlock(block: string): Readonly<Record<string, readonly number[]>> {
  const experts = Array.from({ length: EXPERTS }, (_, index) => {
    const expert = `${block}.block_sparse_moe.experts.${index}`;
    return {
      [`${expert}.w1.weight`]: [96, 64],
      [`${expert}.w3.weight`]: [96, 64],
      [`${expert}.w2.weight`]: [64, 96],
    };
  });
  return {
    [`${block}.input_layernorm.weight`]: [64],
    [`${block}.post_attention_layernorm.weight`]: [64],
    [`${block}.self_attn.q_proj.weight`]: [64, 64],
    [`${block}.self_attn.k_proj.weight`]: [32, 64],
    [`${block}.self_attn.v_proj.weight`]: [32, 64],
    [`${block}.self_attn.o_proj.weight`]: [64, 64],
    [`${block}.block_sparse_moe.gate.weight`]: [EXPERTS, 64],
    ...Object.assign({}, ...experts),
  };
}

/** A small mixture of experts with random weights, and the fixture's tokenizer. */
async function randomMixture(): Promise<string> {
  const folder = await temporaryFolder();
  const shapes: Readonly<Record<string, readonly number[]>> = {
    'model.embed_tokens.weight': [1024, 64],
    'model.norm.weight': [64],
    'lm_head.weight': [1024, 64],
    ...shapesOfBlock('model.layers.0'),
    ...shapesOfBlock('model.layers.1'),
  };
  const names = Object.keys(shapes);
  const layout = layoutSafetensors(
    names.map((name) => ({ name, dtype: 'F32', shape: shapes[name] ?? [] })),
    { format: 'pt' },
    'model.safetensors',
  );
  const random = generator(7);
  const file = Buffer.alloc(layout.size);
  file.set(layout.header);
  for (const name of names) {
    const placed = layout.tensors.get(name);
    if (placed === undefined) throw new Error(`${name} is missing`);
    const values = Float32Array.from({ length: placed.length / 4 }, () =>
      name.includes('norm') ? 1 : random() - 0.5,
    );
    file.set(Buffer.from(values.buffer), placed.offset);
  }
  await writeFile(join(folder, 'model.safetensors'), file);
  await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG));
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(MODEL, name), join(folder, name));
  }
  return folder;
}

const run = async (input: string, environment: Readonly<Record<string, string>>) =>
  optimize(input, {
    step: {
      technique: 'quantization',
      environment: {
        OPTION_CALIB_SIZE: '2',
        OPTION_CALIB_DATASET: 's3://texts/calibration.txt',
        OPTION_EVALUATE: 'false',
        ...environment,
      },
      datasets: { OPTION_CALIB_DATASET: join(FIXTURES, 'shakespeare-llama-calibration.txt') },
    },
  });

describe('a mixture of experts', { timeout: 300_000 }, () => {
  it.each([
    { OPTION_QUANTIZE: 'awq', OPTION_AWQ_BLOCK_SIZE: '32' },
    { OPTION_QUANTIZE: 'gptaq', OPTION_GPTAQ_BLOCK_SIZE: '32' },
  ])('is quantized with %j, but for its routers', async (settings) => {
    const result = await run(await randomMixture(), settings);
    expect(result.error).toBeUndefined();
    const step = (await readReport(result.output)).steps.at(-1);
    if (step?.technique !== 'quantization') throw new Error('the report has no such step');
    expect(step.layers).toHaveLength(2 * (4 + 3 * EXPERTS));
    for (const { error } of step.layers) expect(error.output).toBeLessThan(0.3);
    expect(step.unquantized.map(({ module }) => module)).toContain(
      'model.layers.1.block_sparse_moe.gate',
    );
  });

  it('keeps its output layer: a calibrated technique says that it cannot take it', async () => {
    const result = await run(MODEL, {
      OPTION_QUANTIZE: 'gptaq',
      OPTION_GPTAQ_IGNORE_LAYERS: '',
    });
    expect(result.status).toBe(1);
    expect(result.error).toContain(
      'the layer lm_head is not part of the model’s forward pass, so it cannot be calibrated; name it in the technique’s ignore list',
    );
  });
});
