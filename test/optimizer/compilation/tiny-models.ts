import { seededRandom } from '#burnish/optimizer/seeded-random.js';
import type { SyntheticModel, SyntheticTensor } from '../../checkpoint/synthetic.js';

/** Small checkpoints with random weights for every architecture whose forward pass is known. */

const VOCABULARY = 80;
const WIDTH = 64;
const INNER = 96;
const HEADS = 4;
const KEY_VALUE_HEADS = 2;

interface TinyCase {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly headSize?: number;
  readonly bias?: 'inputs' | 'all';
  readonly tied?: boolean;
  readonly headNorms?: boolean;
  readonly norms?: 'four';
  readonly fused?: boolean;
  readonly experts?: {
    readonly router: string;
    readonly prefix: string;
    readonly names: readonly [string, string, string];
    readonly count: number;
    readonly width: number;
    readonly shared?: number;
    /** Blocks that have them. */
    readonly blocks: (index: number) => boolean;
  };
}

const MIXTRAL_EXPERTS = {
  router: 'block_sparse_moe.gate',
  prefix: 'block_sparse_moe.experts',
  names: ['w1', 'w3', 'w2'],
  count: 4,
  width: INNER,
  blocks: () => true,
} as const;

const QWEN_EXPERTS = {
  router: 'mlp.gate',
  prefix: 'mlp.experts',
  names: ['gate_proj', 'up_proj', 'down_proj'],
  count: 6,
  width: 32,
} as const;

export const TINY_CASES: readonly TinyCase[] = [
  { name: 'llama', config: { model_type: 'llama' } },
  {
    name: 'llama, tied and biased, with heads of 24',
    config: { model_type: 'llama', head_dim: 24 },
    headSize: 24,
    bias: 'all',
    tied: true,
  },
  {
    name: 'llama with llama3 rotation',
    config: {
      model_type: 'llama',
      rope_theta: 500_000,
      rope_scaling: {
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 32,
      },
    },
  },
  { name: 'mistral', config: { model_type: 'mistral', sliding_window: 8 } },
  {
    name: 'qwen2',
    config: {
      model_type: 'qwen2',
      rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 32 },
    },
    bias: 'inputs',
  },
  {
    name: 'qwen3',
    config: { model_type: 'qwen3', head_dim: 32 },
    headSize: 32,
    headNorms: true,
  },
  { name: 'phi3', config: { model_type: 'phi3', sliding_window: 16 }, fused: true },
  {
    name: 'phi3 with two tables of rotation',
    config: {
      model_type: 'phi3',
      original_max_position_embeddings: 16,
      partial_rotary_factor: 0.75,
      rope_scaling: {
        type: 'longrope',
        short_factor: [1, 1.1, 1.2, 1.3, 1.4, 1.5],
        long_factor: [1, 1.5, 2, 2.5, 3, 3.5],
      },
    },
    fused: true,
  },
  {
    name: 'gemma2',
    config: {
      model_type: 'gemma2',
      head_dim: 16,
      query_pre_attn_scalar: 20,
      sliding_window: 8,
      attn_logit_softcapping: 2,
      final_logit_softcapping: 3,
      hidden_activation: 'gelu_pytorch_tanh',
    },
    tied: true,
    norms: 'four',
  },
  {
    name: 'gemma3',
    config: {
      model_type: 'gemma3_text',
      head_dim: 32,
      query_pre_attn_scalar: 20,
      sliding_window: 8,
      layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
      rope_scaling: { rope_type: 'linear', factor: 8 },
      hidden_activation: 'gelu_pytorch_tanh',
    },
    headSize: 32,
    tied: true,
    headNorms: true,
    norms: 'four',
  },
  {
    name: 'mixtral',
    config: { model_type: 'mixtral', num_local_experts: 4, num_experts_per_tok: 2 },
    experts: MIXTRAL_EXPERTS,
  },
  {
    name: 'mixtral with an activation of its own',
    config: {
      model_type: 'mixtral',
      num_local_experts: 4,
      num_experts_per_tok: 2,
      hidden_act: 'gelu',
    },
    experts: MIXTRAL_EXPERTS,
  },
  {
    name: 'qwen2_moe',
    config: { model_type: 'qwen2_moe', num_experts_per_tok: 2, norm_topk_prob: false },
    bias: 'inputs',
    experts: { ...QWEN_EXPERTS, shared: 48, blocks: (index) => index % 2 === 1 },
  },
  {
    name: 'qwen3_moe',
    config: {
      model_type: 'qwen3_moe',
      num_experts_per_tok: 2,
      norm_topk_prob: true,
      head_dim: 24,
    },
    headSize: 24,
    headNorms: true,
    experts: { ...QWEN_EXPERTS, blocks: (index) => index !== 1 },
  },
];

/** The checkpoint of one case. */
export function tinyModel(tiny: TinyCase): SyntheticModel {
  const random = seededRandom(tiny.name.length * 7919);
  const headSize = tiny.headSize ?? WIDTH / HEADS;
  const tensors: SyntheticTensor[] = [];
  const add = (name: string, shape: readonly number[], spread = 0.5, around = 0): void => {
    const count = shape.reduce((product, size) => product * size, 1);
    const values = Float32Array.from({ length: count }, () => around + (random() - 0.5) * spread);
    tensors.push({ name, dtype: 'F32', shape, data: new Uint8Array(values.buffer) });
  };
  const norm = (name: string, size: number): void =>
    add(`${name}.weight`, [size], 0.4, tiny.norms === 'four' ? 0 : 1);
  const linear = (name: string, rows: number, columns: number, bias = false): void => {
    add(`${name}.weight`, [rows, columns]);
    if (bias) add(`${name}.bias`, [rows]);
  };
  const gated = (prefix: string, width: number, bias = false): void => {
    linear(`${prefix}.gate_proj`, width, WIDTH, bias);
    linear(`${prefix}.up_proj`, width, WIDTH, bias);
    linear(`${prefix}.down_proj`, WIDTH, width, bias);
  };
  add('model.embed_tokens.weight', [VOCABULARY, WIDTH], 2);
  for (let index = 0; index < 3; index += 1) {
    const block = `model.layers.${index}`;
    const attention = `${block}.self_attn`;
    const [query, keys] = [HEADS * headSize, KEY_VALUE_HEADS * headSize];
    if (tiny.fused === true) {
      linear(`${attention}.qkv_proj`, query + 2 * keys, WIDTH);
    } else {
      linear(`${attention}.q_proj`, query, WIDTH, tiny.bias !== undefined);
      linear(`${attention}.k_proj`, keys, WIDTH, tiny.bias !== undefined);
      linear(`${attention}.v_proj`, keys, WIDTH, tiny.bias !== undefined);
    }
    linear(`${attention}.o_proj`, WIDTH, query, tiny.bias === 'all');
    if (tiny.headNorms === true) {
      norm(`${attention}.q_norm`, headSize);
      norm(`${attention}.k_norm`, headSize);
    }
    norm(`${block}.input_layernorm`, WIDTH);
    norm(`${block}.post_attention_layernorm`, WIDTH);
    if (tiny.norms === 'four') {
      norm(`${block}.pre_feedforward_layernorm`, WIDTH);
      norm(`${block}.post_feedforward_layernorm`, WIDTH);
    }
    const { experts } = tiny;
    if (experts?.blocks(index) === true) {
      linear(`${block}.${experts.router}`, experts.count, WIDTH);
      for (let expert = 0; expert < experts.count; expert += 1) {
        const [gate, up, down] = experts.names;
        linear(`${block}.${experts.prefix}.${expert}.${gate}`, experts.width, WIDTH);
        linear(`${block}.${experts.prefix}.${expert}.${up}`, experts.width, WIDTH);
        linear(`${block}.${experts.prefix}.${expert}.${down}`, WIDTH, experts.width);
      }
      if (experts.shared !== undefined) {
        gated(`${block}.mlp.shared_expert`, experts.shared);
        linear(`${block}.mlp.shared_expert_gate`, 1, WIDTH);
      }
    } else if (tiny.fused === true) {
      linear(`${block}.mlp.gate_up_proj`, 2 * INNER, WIDTH);
      linear(`${block}.mlp.down_proj`, WIDTH, INNER);
    } else {
      gated(`${block}.mlp`, INNER, tiny.bias === 'all');
    }
  }
  norm('model.norm', WIDTH);
  if (tiny.tied !== true) linear('lm_head', VOCABULARY, WIDTH);
  return {
    config: {
      hidden_size: WIDTH,
      intermediate_size: INNER,
      num_hidden_layers: 3,
      num_attention_heads: HEADS,
      num_key_value_heads: KEY_VALUE_HEADS,
      max_position_embeddings: 64,
      tie_word_embeddings: tiny.tied === true,
      rms_norm_eps: 1e-5,
      eos_token_id: 2,
      ...tiny.config,
    },
    tensors,
  };
}

/** Ids of tokens that the tiny models know, the same in every run. */
export function tinyIds(count: number): readonly number[] {
  const random = seededRandom(99);
  return Array.from({ length: count }, () => Math.floor(random() * VOCABULARY));
}
