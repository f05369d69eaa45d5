import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { layoutSafetensors } from '#burnish/checkpoint/safetensors/layout.js';
import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const TOKENIZER = fileURLToPath(new URL('../../../fixtures/shakespeare-llama', import.meta.url));
/** Of each block. */
export const EXPERTS = 4;

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
export async function randomMixture(): Promise<string> {
  const folder = temporaryFolder();
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
  const random = seededRandom(7);
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
    await copyFile(join(TOKENIZER, name), join(folder, name));
  }
  return folder;
}
