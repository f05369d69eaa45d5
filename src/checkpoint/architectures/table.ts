import { type Architecture, experts, fused, type LinearFamily, single } from './architecture.js';

const ATTENTION: readonly LinearFamily[] = [
  fused('self_attn', ['q_proj', 'k_proj', 'v_proj'], 'qkv_proj'),
  single('self_attn.o_proj'),
];

/** A gated feed-forward network. */
function gated(parent: string): readonly LinearFamily[] {
  return [fused(parent, ['gate_proj', 'up_proj'], 'gate_up_proj'), single(`${parent}.down_proj`)];
}

const LLAMA_LIKE = {
  blocks: 'layers',
  families: [...ATTENTION, ...gated('mlp')],
  routers: [],
  tiedByDefault: false,
} satisfies Partial<Architecture>;

const QWEN_EXPERTS = experts('mlp.experts', ['gate_proj', 'up_proj', 'down_proj']);

/** The models whose layers are known by name. Module names and defaults follow the implementations in
 * Transformers, the fused names those in vLLM. */
export const ARCHITECTURES: readonly Architecture[] = [
  { ...LLAMA_LIKE, name: 'llama', modelTypes: ['llama'] },
  { ...LLAMA_LIKE, name: 'mistral', modelTypes: ['mistral'] },
  { ...LLAMA_LIKE, name: 'qwen2', modelTypes: ['qwen2'] },
  { ...LLAMA_LIKE, name: 'qwen3', modelTypes: ['qwen3'] },
  { ...LLAMA_LIKE, name: 'gemma2', modelTypes: ['gemma2'], tiedByDefault: true },
  { ...LLAMA_LIKE, name: 'gemma3', modelTypes: ['gemma3', 'gemma3_text'], tiedByDefault: true },
  {
    ...LLAMA_LIKE,
    name: 'phi3',
    modelTypes: ['phi3'],
    families: [
      single('self_attn.qkv_proj'),
      single('self_attn.o_proj'),
      single('mlp.gate_up_proj'),
      single('mlp.down_proj'),
    ],
  },
  {
    ...LLAMA_LIKE,
    name: 'mixtral',
    modelTypes: ['mixtral'],
    families: [...ATTENTION, experts('block_sparse_moe.experts', ['w1', 'w2', 'w3'])],
    routers: ['block_sparse_moe.gate'],
  },
  {
    ...LLAMA_LIKE,
    name: 'qwen2_moe',
    modelTypes: ['qwen2_moe'],
    // Some blocks of these models have a plain feed-forward network in place of experts.
    families: [...ATTENTION, ...gated('mlp'), QWEN_EXPERTS, ...gated('mlp.shared_expert')],
    routers: ['mlp.gate', 'mlp.shared_expert_gate'],
  },
  {
    ...LLAMA_LIKE,
    name: 'qwen3_moe',
    modelTypes: ['qwen3_moe'],
    families: [...ATTENTION, ...gated('mlp'), QWEN_EXPERTS],
    routers: ['mlp.gate'],
  },
];

/** Models whose weights are stored in a form that these tables cannot describe. */
export const UNSUPPORTED_MODEL_TYPES: ReadonlyMap<string, string> = new Map(
  ['gpt2', 'openai-gpt', 'imagegpt', 'decision_transformer', 'clvp'].map((type) => [
    type,
    'its layers are stored transposed (as Conv1D), which no serving engine reads from a quantized checkpoint',
  ]),
);
