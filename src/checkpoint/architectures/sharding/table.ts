/** What dividing a kind of model needs to know beyond its forward pass. */
export interface ShardingArchitecture {
  /** As in the table of architectures. */
  readonly name: string;
  /** Keys of the configuration that give the width of a plain network, of an expert, and of the shared
   * expert. */
  readonly widths: {
    readonly feedForward: string;
    readonly experts?: string;
    readonly shared?: string;
  };
  /** Modules of a block that vLLM has under other names, and its names. Names of fused layers follow from
   * the table of architectures. */
  readonly served: Readonly<Record<string, string>>;
  /** The name under which vLLM saves a weight that input embedding and output layer share. */
  readonly sharedEmbedding: 'embedding' | 'head';
}

const PLAIN: Omit<ShardingArchitecture, 'name'> = {
  widths: { feedForward: 'intermediate_size' },
  served: {},
  sharedEmbedding: 'head',
};

/** Parameter names are those of vLLM 0.32.0; test/optimizer/sharding/vllm-states holds what it saves. */
export const SHARDING_ARCHITECTURES: readonly ShardingArchitecture[] = [
  ...['llama', 'mistral', 'qwen2', 'qwen3', 'gemma3', 'phi3'].map((name) => ({ ...PLAIN, name })),
  { ...PLAIN, name: 'gemma2', sharedEmbedding: 'embedding' },
  {
    ...PLAIN,
    name: 'mixtral',
    widths: { feedForward: 'intermediate_size', experts: 'intermediate_size' },
  },
  {
    ...PLAIN,
    name: 'qwen2_moe',
    widths: {
      feedForward: 'intermediate_size',
      experts: 'moe_intermediate_size',
      shared: 'shared_expert_intermediate_size',
    },
    served: {
      'mlp.shared_expert_gate': 'mlp.experts._shared_experts._layer.expert_gate',
      'mlp.shared_expert.gate_up_proj': 'mlp.experts._shared_experts._layer.gate_up_proj',
      'mlp.shared_expert.down_proj': 'mlp.experts._shared_experts._layer.down_proj',
    },
  },
  {
    ...PLAIN,
    name: 'qwen3_moe',
    widths: { feedForward: 'intermediate_size', experts: 'moe_intermediate_size' },
    served: { 'mlp.gate': 'mlp.experts.gate' },
  },
];

/** The version of vLLM whose parameter names the table has. */
export const VLLM_VERSION = '0.32.0';
