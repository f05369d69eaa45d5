import { EXPERT } from '../architecture.js';
import type { ForwardArchitecture, GatedLayout } from './forward-architecture.js';

const GATED: GatedLayout = {
  inputs: [
    { module: 'gate_proj', outputs: ['gate'] },
    { module: 'up_proj', outputs: ['up'] },
  ],
  output: 'down_proj',
};

function inside(parent: string, { inputs, output }: GatedLayout): GatedLayout {
  return {
    inputs: inputs.map(({ module, outputs }) => ({ module: `${parent}.${module}`, outputs })),
    output: `${parent}.${output}`,
  };
}

const LLAMA = {
  defaults: {
    hidden_act: 'silu',
    rms_norm_eps: 1e-6,
    max_position_embeddings: 2048,
    rope_theta: 10_000,
  },
  norms: {
    beforeAttention: 'input_layernorm',
    beforeFeedForward: 'post_attention_layernorm',
    addOne: false,
  },
  attention: {
    inputs: [
      { module: 'self_attn.q_proj', outputs: ['query'] },
      { module: 'self_attn.k_proj', outputs: ['key'] },
      { module: 'self_attn.v_proj', outputs: ['value'] },
    ],
    output: 'self_attn.o_proj',
  },
  feedForward: inside('mlp', GATED),
  scalesEmbedding: false,
  window: { kind: 'none' },
} satisfies Omit<ForwardArchitecture, 'name'>;

const QWEN_DEFAULTS = {
  ...LLAMA.defaults,
  max_position_embeddings: 32_768,
  max_window_layers: 28,
  use_sliding_window: false,
};

const HEAD_NORMS = { query: 'self_attn.q_norm', key: 'self_attn.k_norm' };

const GEMMA = {
  ...LLAMA,
  norms: {
    beforeAttention: 'input_layernorm',
    afterAttention: 'post_attention_layernorm',
    beforeFeedForward: 'pre_feedforward_layernorm',
    afterFeedForward: 'post_feedforward_layernorm',
    addOne: true,
  },
  scalesEmbedding: true,
} satisfies Omit<ForwardArchitecture, 'name'>;

const GEMMA_DEFAULTS = {
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  query_pre_attn_scalar: 256,
  rms_norm_eps: 1e-6,
  sliding_window: 4096,
};

/** Models whose forward pass is known. Structure and defaults follow the implementations in
 * Transformers. */
export const FORWARD_ARCHITECTURES: readonly ForwardArchitecture[] = [
  { ...LLAMA, name: 'llama' },
  {
    ...LLAMA,
    name: 'mistral',
    defaults: { ...LLAMA.defaults, num_key_value_heads: 8, max_position_embeddings: 131_072 },
    window: { kind: 'every' },
  },
  {
    ...LLAMA,
    name: 'qwen2',
    defaults: QWEN_DEFAULTS,
    window: { kind: 'from', key: 'max_window_layers', enabledBy: 'use_sliding_window' },
  },
  {
    ...LLAMA,
    name: 'qwen3',
    defaults: { ...QWEN_DEFAULTS, head_dim: 128 },
    attention: { ...LLAMA.attention, headNorms: HEAD_NORMS },
    window: { kind: 'from', key: 'max_window_layers', enabledBy: 'use_sliding_window' },
  },
  {
    ...LLAMA,
    name: 'phi3',
    defaults: { ...LLAMA.defaults, rms_norm_eps: 1e-5, max_position_embeddings: 4096 },
    attention: {
      inputs: [{ module: 'self_attn.qkv_proj', outputs: ['query', 'key', 'value'] }],
      output: 'self_attn.o_proj',
    },
    feedForward: {
      inputs: [{ module: 'mlp.gate_up_proj', outputs: ['gate', 'up'] }],
      output: 'mlp.down_proj',
    },
    window: { kind: 'every' },
  },
  {
    ...GEMMA,
    name: 'gemma2',
    defaults: {
      ...GEMMA_DEFAULTS,
      hidden_activation: 'gelu_pytorch_tanh',
      max_position_embeddings: 8192,
      rope_theta: 10_000,
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    },
    window: { kind: 'alternating' },
  },
  {
    ...GEMMA,
    name: 'gemma3',
    defaults: {
      ...GEMMA_DEFAULTS,
      hidden_activation: 'gelu_pytorch_tanh',
      hidden_size: 2304,
      num_hidden_layers: 26,
      max_position_embeddings: 131_072,
      rope_theta: 1_000_000,
      rope_local_base_freq: 10_000,
      sliding_window_pattern: 6,
    },
    attention: { ...LLAMA.attention, headNorms: HEAD_NORMS },
    window: { kind: 'all-but-every', keys: ['sliding_window_pattern', '_sliding_window_pattern'] },
  },
  {
    ...LLAMA,
    name: 'mixtral',
    defaults: {
      ...LLAMA.defaults,
      num_key_value_heads: 8,
      rms_norm_eps: 1e-5,
      max_position_embeddings: 131_072,
      rope_theta: 1_000_000,
      num_experts_per_tok: 2,
    },
    experts: {
      inputs: [
        { module: 'w1', outputs: ['gate'] },
        { module: 'w3', outputs: ['up'] },
      ],
      output: 'w2',
      router: 'block_sparse_moe.gate',
      expert: `block_sparse_moe.experts.${EXPERT}`,
      chosenKey: 'num_experts_per_tok',
      normalized: true,
    },
    window: { kind: 'every' },
  },
  {
    ...LLAMA,
    name: 'qwen2_moe',
    defaults: {
      ...QWEN_DEFAULTS,
      num_experts_per_tok: 4,
      norm_topk_prob: false,
    },
    experts: {
      ...GATED,
      router: 'mlp.gate',
      expert: `mlp.experts.${EXPERT}`,
      chosenKey: 'num_experts_per_tok',
      normalized: { key: 'norm_topk_prob' },
      shared: { prefix: 'mlp.shared_expert', gate: 'mlp.shared_expert_gate' },
    },
    window: { kind: 'alternating', before: 'max_window_layers', enabledBy: 'use_sliding_window' },
  },
  {
    ...LLAMA,
    name: 'qwen3_moe',
    defaults: {
      ...QWEN_DEFAULTS,
      num_key_value_heads: 4,
      num_experts_per_tok: 8,
      norm_topk_prob: false,
    },
    attention: { ...LLAMA.attention, headNorms: HEAD_NORMS },
    experts: {
      ...GATED,
      router: 'mlp.gate',
      expert: `mlp.experts.${EXPERT}`,
      chosenKey: 'num_experts_per_tok',
      normalized: { key: 'norm_topk_prob' },
    },
    window: { kind: 'every', enabledBy: 'use_sliding_window' },
  },
];

/** Names of the models whose forward pass is known, for messages. */
export const FORWARD_NAMES: readonly string[] = FORWARD_ARCHITECTURES.map(({ name }) => name);
